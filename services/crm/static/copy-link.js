// Copies a link that is shown this once. Where the browser refuses, the text is selected for copying by hand.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    const said = button.parentElement.querySelector("[data-copied]");
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = "Copied.";
    } catch {
      field.select();
      said.textContent = "Selected: copy it with Ctrl-C.";
    }
  });
}
for (const field of document.querySelectorAll("[data-link]")) field.addEventListener("focus", () => field.select());
