// Hands the token after "#" to the form when the button is pressed; nothing here submits by itself. A page that came
// back with something to mend has no "#" any more: its form still holds the token.
import { isLinkToken, linkToken } from "/static/chassis/link-token.js";

const form = document.getElementById("choose-password");

if (form && !isLinkToken(linkToken() || form.elements.token.value)) document.getElementById("link-incomplete").hidden = false;

form?.addEventListener("submit", () => {
  const token = linkToken();
  if (token) form.elements.token.value = token;
});
