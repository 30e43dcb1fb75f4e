// Small helpers over the page's own elements; the markup stands in the server's templates.

/** @param {string} id @returns {HTMLElement} */
export const byId = (id) => document.getElementById(id);

/** Shows exactly one of the page's panels. @param {string} name */
export function showPanel(name) {
  for (const panel of document.querySelectorAll("[data-panel]")) panel.hidden = panel.dataset.panel !== name;
}

/** @param {HTMLInputElement} input @param {string} message */
export function setProblem(input, message) {
  const line = byId(`${input.id}-problem`);
  line.textContent = message;
  line.hidden = !message;
  if (message) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/** @param {string} id @param {string} text */
export const setText = (id, text) => { byId(id).textContent = text; };
