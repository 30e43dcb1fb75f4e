// The button that prints the page at hand.
for (const button of document.querySelectorAll("[data-it-print]")) {
  button.addEventListener("click", () => window.print());
}
