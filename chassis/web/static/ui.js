// Small helpers that pages' own scripts share. No side effects on import.

/** @param {string} tag @param {object} [properties] @param {...(Node|string)} children */
export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/** A message that goes by itself. @param {string} text @param {"info"|"done"|"wait"|"alert"} kind */
export function toast(text, kind = "info") {
  const place = document.getElementById("wv-toasts");
  if (!place) return;
  const note = element("div", { className: `wv-notice wv-tone-${kind}` }, element("p", { textContent: text }));
  place.append(note);
  setTimeout(() => note.remove(), 8000);
}

/** Shows that a button works, and takes further clicks away until it is done. @param {HTMLElement} button */
export function setBusy(button, busy) {
  if (busy) {
    button.dataset.wvText ??= button.innerHTML;
    button.setAttribute("aria-busy", "true");
    if (button.dataset.wvWorking) button.textContent = button.dataset.wvWorking;
  } else if (button.dataset.wvText !== undefined) {
    button.innerHTML = button.dataset.wvText;
    delete button.dataset.wvText;
    button.removeAttribute("aria-busy");
  }
}

/** A refusal that the server explained. `code` is an ErrorCode's name without prefix. */
export class Refused extends Error {
  constructor({ code = "", message = "", field = "", attempts_left = 0 } = {}) {
    super(message);
    Object.assign(this, { code, field, attemptsLeft: attempts_left });
  }
}

/** The network or the server did not answer; nothing is known about the request's fate. */
export class Unreachable extends Error {}

export const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

/**
 * POSTs JSON to a page of this origin. Resolves with the JSON answered; rejects with Refused or Unreachable.
 * @param {string} url @param {object} body
 */
export async function postJson(url, body, { timeout = 15000 } = {}) {
  let response;
  let answer;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify(body),
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(timeout),
    });
    answer = response.status === 204 ? {} : await response.json();
  } catch {
    throw new Unreachable("The connection was lost.");
  }
  if (!response.ok) throw new Refused(answer.error);
  return answer;
}

let guards = 0;
const warn = (event) => { event.preventDefault(); };

/** Asks before this window is left (M5). Returns the function that stops asking. */
export function guardLeaving() {
  guards += 1;
  if (guards === 1) window.addEventListener("beforeunload", warn);
  let active = true;
  return () => {
    if (!active) return;
    active = false;
    guards -= 1;
    if (guards === 0) window.removeEventListener("beforeunload", warn);
  };
}
