// Forms that are answered in place: the page that shows a card must not be loaded anew over a mistake in a field, a lost
// connection or a session that ended. It goes on to another page only when the server has done what was asked.
import { Refused, Unreachable, csrfToken, element, setBusy, toast } from "/static/chassis/ui.js";

/** POSTs a form; resolves with the server's JSON, rejects with Refused or Unreachable. */
async function send(form, submitter) {
  const body = new FormData(form, submitter);
  body.delete("csrf_token");
  let response;
  let answer;
  try {
    response = await fetch(form.action, {
      method: "POST",
      body,
      headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(30000),
    });
    answer = await response.json();
  } catch {
    throw new Unreachable("The connection was lost.");
  }
  if (!response.ok && !answer.fields) throw new Refused(answer.error);
  return answer;
}

function clear(form) {
  for (const old of form.querySelectorAll(".wv-in-place")) old.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.classList.remove("is-invalid");
    field.closest(".wv-field")?.classList.remove("is-invalid");
  }
}

/** What is wrong with one field, beside it. @returns {HTMLElement | null} the field */
function beside(form, name, message) {
  const field = form.elements.namedItem(name);
  if (!(field instanceof HTMLElement) || field.type === "hidden") return null;
  const note = element("p", { className: "wv-field-error wv-in-place", id: `${field.id}-error` });
  note.append(element("span", { className: "visually-hidden", textContent: "Error: " }), message);
  field.closest(".wv-field")?.classList.add("is-invalid");
  field.before(note);
  field.classList.add("is-invalid");
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", [note.id, `${field.id}-help`].filter((id) => document.getElementById(id)).join(" "));
  return field;
}

/** A message of the form as a whole, above its buttons. */
function above(form, text) {
  const note = element("div", { className: "wv-notice wv-tone-alert wv-in-place" }, element("p", { textContent: text }));
  note.setAttribute("role", "alert");
  (form.querySelector(".wv-actions") ?? form.lastElementChild).before(note);
}

function showFaults(form, answer) {
  let first = null;
  const loose = [...(answer.form ?? [])];
  for (const [name, message] of Object.entries(answer.fields)) {
    const field = beside(form, name, message);
    if (field) first ??= field;
    else loose.push(message);
  }
  for (const text of loose) above(form, text);
  first?.focus();
}

/**
 * Sends a form without leaving the page. What is wrong with it stands at its fields; the page is left, by `leave`, only
 * when the server answers where to go.
 * @param {HTMLFormElement} form @param {HTMLElement | null} submitter
 * @param {{ explain: (error: Error) => string, renew: () => Promise<boolean>, leave: (url: string) => void }} page
 */
export async function sendInPlace(form, submitter, { explain, renew, leave }) {
  const button = submitter ?? form.querySelector("button[type=submit]");
  if (button?.getAttribute("aria-busy") === "true") return;
  clear(form);
  setBusy(button, true);
  try {
    let answer;
    try {
      answer = await send(form, submitter);
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "FORM_EXPIRED" || !(await renew())) throw error;
      answer = await send(form, submitter);
    }
    if (answer.fields) { showFaults(form, answer); return; }
    if (answer.to) { leave(answer.to); return; }
    form.closest("dialog")?.close();
    if (answer.said) toast(answer.said, "done");
  } catch (error) {
    above(form, explain(error));
  } finally {
    setBusy(button, false);
  }
}
