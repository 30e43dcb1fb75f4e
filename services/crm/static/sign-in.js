// The sign-in pages keep what stands after # in the address: a CVV link's token never reaches the server,
// so the browser itself has to carry it. A form's action with a fragment passes it on to the redirect that follows.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => {
    if (location.hash) form.action = form.action.split("#")[0] + location.hash;
  });
}
