// Hands the token after "#" to the form when the button is pressed. Nothing here submits anything by itself, so a
// mail scanner that loads the page and runs its scripts changes nothing.
import { linkToken } from "/static/chassis/link-token.js";

const form = document.getElementById("open-link");

form?.addEventListener("submit", () => {
  form.elements.token.value = linkToken();
});

const button = document.getElementById("open-button");
if (button) button.disabled = false;
