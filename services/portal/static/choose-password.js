// Hands the token after "#" to the form when the button is pressed; nothing here submits by itself. A page that came
// back with something to mend has no "#" any more: its form still holds the token.
const form = document.getElementById("choose-password");

form?.addEventListener("submit", () => {
  const token = window.location.hash.slice(1);
  if (token) form.elements.token.value = token;
});
