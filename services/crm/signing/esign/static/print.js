for (const button of document.querySelectorAll("[data-sign-print]")) button.addEventListener("click", () => window.print());
