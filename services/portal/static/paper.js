// The page on which something is signed: what is missing is said before the form leaves, so that a drawn signature is
// not drawn twice.
import { element } from "/static/chassis/ui.js";

const form = document.getElementById("paper");

function mark(field, message) {
  const wrap = field.closest(".wv-field");
  if (!wrap) return;
  wrap.classList.add("is-invalid");
  if (!wrap.querySelector(".wv-field-error")) {
    const note = element("p", { className: "wv-field-error", textContent: message, role: "alert" });
    const legend = wrap.querySelector("legend");
    if (legend) legend.after(note);
    else wrap.prepend(note);
  }
}

function unmark(event) {
  const wrap = event.target.closest(".wv-field.is-invalid");
  wrap?.classList.remove("is-invalid");
  wrap?.querySelector(".wv-field-error")?.remove();
}

form?.addEventListener("change", unmark);
form?.addEventListener("submit", (event) => {
  const missing = [];
  const answers = [...form.querySelectorAll('input[name="answer"]')];
  if (answers.length && !answers.some((one) => one.checked)) missing.push([answers[0], "Say whether you want the insurance."]);
  if (!form.elements.consent.checked) missing.push([form.elements.consent, "Tick the box to show that you agree."]);
  if (!missing.length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  for (const [field, message] of missing) mark(field, message);
  missing[0][0].focus();
}, { capture: true });
