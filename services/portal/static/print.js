// The button that prints the page at hand.
for (const button of document.querySelectorAll("[data-pt-print]")) {
  button.addEventListener("click", () => window.print());
}
