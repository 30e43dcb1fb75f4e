// The end of a session: a warning in time, Stay signed in, and after signing in again what was typed, in its form.
import { csrfToken, element, toast } from "./ui.js";

const watch = JSON.parse(document.getElementById("wv-session")?.textContent ?? "null");
const channel = "BroadcastChannel" in window ? new BroadcastChannel("wv-session") : null;
const PASSIVE = { Accept: "application/json", "X-Wayvault-Passive": "1" };

let endsAt = 0;
let timer = 0;
let ended = false;
let parts = null;

const secondsLeft = () => Math.max(0, Math.round((endsAt - performance.now()) / 1000));
const inWords = (seconds) => seconds > 90 ? `${Math.round(seconds / 60)} minutes` : seconds === 1 ? "1 second" : `${seconds} seconds`;

function build() {
  const title = element("h2", { id: "wv-session-title" });
  const words = element("p", { id: "wv-session-words" });
  // What a screen reader is told: at the warning and twice before the end, not each second.
  const spoken = element("p", { className: "visually-hidden", role: "status" });
  const stay = element("button", { type: "button", className: "btn btn-primary", textContent: "Stay signed in" });
  const again = element("a", { className: "btn btn-primary", href: watch.sign_in, target: "_blank", rel: "noopener", textContent: "Sign in again" });
  const close = element("button", { type: "button", className: "btn btn-outline-secondary", textContent: "Close" });
  const dialog = element("dialog", { className: "wv-dialog", id: "wv-session-dialog" }, title, words, spoken,
    element("p", { className: "wv-actions wv-dialog-actions" }, close, stay, again));
  dialog.setAttribute("role", "alertdialog");
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.setAttribute("aria-describedby", words.id);
  stay.addEventListener("click", keepSignedIn);
  close.addEventListener("click", () => dialog.close());
  // Escape means "leave me in peace": that is staying, as long as one can.
  dialog.addEventListener("cancel", () => { if (!ended) keepSignedIn(); });
  document.body.append(dialog);
  return { dialog, title, words, spoken, stay, again, close };
}

function show(isOver, isOthers = false) {
  parts ??= build();
  const { dialog, title, words, spoken, stay, again, close } = parts;
  stay.hidden = isOver;
  again.hidden = !isOver || isOthers;
  close.hidden = !isOver;
  if (isOthers) {
    title.textContent = "Somebody else is signed in now";
    words.textContent = "In another tab of this browser another person has signed in. What you typed still stands on this page: copy what you need. It is not sent in that person's name.";
  } else if (isOver) {
    title.textContent = "You have been signed out";
    words.textContent = "This keeps everybody's data safe when nobody is at the screen. What you typed still stands on this page: sign in again in the new tab, then come back and go on.";
  } else {
    title.textContent = "Are you still there?";
    words.textContent = `You will be signed out in ${inWords(secondsLeft())}, because nothing was done for a while.`;
    if ([30, 60].includes(secondsLeft())) spoken.textContent = words.textContent;
  }
  const next = isOthers ? close : isOver ? again : stay;
  if (dialog.open) { if (isOver && !next.matches(":focus")) next.focus(); return; }
  dialog.showModal();
  next.focus();
}

function hide() { parts?.dialog.close(); }

function begin(seconds) {
  ended = false;
  endsAt = performance.now() + seconds * 1000;
  schedule();
}

function schedule() {
  clearTimeout(timer);
  const left = secondsLeft();
  timer = setTimeout(look, left > watch.warning ? (left - watch.warning) * 1000 : 1000);
}

/** What the server says of the session, which may be another person's by now; null where it says nothing. */
async function ask() {
  const answer = await fetch(watch.left, { headers: PASSIVE }).catch(() => null);
  if (answer?.status === 401) { over(); return null; }
  if (!answer?.ok) return null;
  const told = await answer.json();
  // A page that stands on a link is nobody's but the link's.
  if (watch.who && told.who !== watch.who) { over(Boolean(told.who)); return null; }
  return told;
}

/** Asks the server, which knows of every window, before anybody is alarmed. */
async function look({ anyway = false } = {}) {
  if (ended) return;
  if (anyway || !parts?.dialog.open || secondsLeft() === 0) {
    const told = await ask();
    if (ended) return;
    if (told === null) { clearTimeout(timer); timer = setTimeout(look, 5000, { anyway }); return; }
    endsAt = performance.now() + told.seconds * 1000;
  }
  if (secondsLeft() <= watch.warning) show(false); else hide();
  schedule();
}

function over(isOthers = false) {
  if (ended) return;
  ended = true;
  clearTimeout(timer);
  show(true, isOthers === true);
}

async function keepSignedIn() {
  const answer = await fetch(watch.stay, { method: "POST", headers: { Accept: "application/json", "X-CSRFToken": csrfToken() } }).catch(() => null);
  if (answer?.status === 401) { over(); return; }
  if (!answer?.ok) { toast("The connection was lost. Please try again.", "alert"); return; }
  const { seconds } = await answer.json();
  hide();
  begin(seconds);
  channel?.postMessage("alive");
}

/** Signed in again in another tab: this page may go on, with that session's form token. */
async function resume() {
  const told = await ask();
  if (told === null) return;
  const { seconds, csrf_token: token } = told;
  document.querySelector('meta[name="csrf-token"]').content = token;
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  for (const field of document.querySelectorAll('input[name="csrf_token"]')) field.value = token;
  if (ended) { hide(); toast("You are signed in again. You can go on here.", "done"); }
  else if (seconds > watch.warning) hide();
  begin(seconds);
}

const AWAKE_EVERY = 30000; // ms
const SLEPT = 20000; // ms

/** A laptop that slept stops timers and, on some systems, the steady clock with them; the clock on the wall went on.
    That clock may be wrong or be set: it decides nothing, the server is asked. */
function notice(before = { wall: Date.now(), steady: performance.now() }) {
  setTimeout(() => {
    const now = { wall: Date.now(), steady: performance.now() };
    if (Math.abs(now.wall - before.wall - (now.steady - before.steady)) > SLEPT || now.steady - before.steady > AWAKE_EVERY + SLEPT) back();
    notice(now);
  }, AWAKE_EVERY);
}

const back = () => { if (ended) resume(); else look({ anyway: true }); };

if (watch) {
  begin(watch.seconds);
  channel?.postMessage("alive");
  channel?.addEventListener("message", resume);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) back(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) back(); });
  window.addEventListener("online", back);
  notice();
  document.addEventListener("wv-signed-out", () => over());
  // Whatever a page fetches after the end answers 401: nobody is left wondering why nothing happens.
  const plainFetch = window.fetch.bind(window);
  window.fetch = async (...given) => {
    const answer = await plainFetch(...given);
    if (answer.status === 401) document.dispatchEvent(new CustomEvent("wv-signed-out"));
    return answer;
  };
}

// ------------------------------------------------------------------ what was typed before
const draft = JSON.parse(document.getElementById("wv-draft")?.textContent ?? "null");

function formOf({ action, fields }) {
  const forms = [...document.querySelectorAll("form")].filter((form) => form.method === "post");
  const names = new Set(fields.map(([name]) => name));
  const holds = (form) => [...form.elements].filter((field) => names.has(field.name)).length;
  return forms.find((form) => new URL(form.action).pathname === action)
    ?? forms.filter(holds).sort((one, other) => holds(other) - holds(one))[0];
}

const FILE_MARK = "wv_file:"; // chassis/web/typed_values.py
const isFile = ([name]) => name.startsWith(FILE_MARK);

/** Puts values into a form's fields; returns the fields, and the values that none of them took. */
function put(form, fields) {
  const values = Map.groupBy ? Map.groupBy(fields, ([name]) => name) : fields.reduce((all, pair) => all.set(pair[0], [...(all.get(pair[0]) ?? []), pair]), new Map());
  const left = new Map([...values].map(([name, pairs]) => [name, pairs.map(([, value]) => value)]));
  const filled = [];
  for (const field of form.elements) {
    if (!field.name || field.name === "csrf_token" || field.type === "submit" || field.type === "file") continue;
    const typed = values.get(field.name)?.map(([, value]) => value);
    if (field.type === "checkbox" || field.type === "radio") field.checked = Boolean(typed?.includes(field.value));
    else if (field instanceof HTMLSelectElement && field.multiple) for (const option of field.options) option.selected = Boolean(typed?.includes(option.value));
    else if (left.get(field.name)?.length) field.value = left.get(field.name).shift();
    else continue;
    if (field.type === "checkbox" || field.type === "radio") left.delete(field.name);
    filled.push(field);
  }
  return [filled, [...left.values()].flat().filter((value) => value.trim())];
}

/** Lets the page's scripts follow. One of them may propose values for other fields (the link form's amount by its kind):
    what had been typed is put there once more, and stays. */
function tell(form, fields) {
  for (const field of put(form, fields)[0]) {
    // As browsers do: of a group's buttons, the one that is pressed tells.
    if (field.type === "radio" && !field.checked) continue;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
  put(form, fields);
  form.dispatchEvent(new CustomEvent("wv-restored", { bubbles: true }));
}

function restore() {
  const form = formOf(draft);
  const notice = element("div", { className: "wv-notice wv-tone-info", role: "status" }, element("p", {
    // Whoever came by a link has not signed in.
    textContent: `${watch?.who ? "You are signed in again." : "You are back."} Nothing was sent meanwhile: what you had typed stands here, so check it and send it now.`,
  }));
  const typed = draft.fields.filter((pair) => !isFile(pair));
  const rest = form ? put(form, typed)[1] : typed.map(([, value]) => value).filter((value) => value.trim());
  const files = draft.fields.filter(isFile).map(([, name]) => `“${name}”`);
  if (files.length) notice.append(element("p", { textContent: `Choose ${files.join(" and ")} again: a file stays on your device until it is sent.` }));
  // So that this draft is forgotten when the form is sent, and no other window's.
  if (form) form.append(element("input", { type: "hidden", name: "wv_draft", value: draft.id }));
  if (rest.length) notice.append(element("details", {}, element("summary", { textContent: "What else you had typed" }), ...rest.map((text) => element("p", { textContent: text }))));
  if (form) { form.closest("dialog")?.showModal?.(); form.prepend(notice); form.scrollIntoView({ block: "start" }); }
  else document.getElementById("main")?.prepend(notice);
  // When the page's own scripts listen, and early.js no longer keeps what it hears, to tell it once more.
  if (form) document.addEventListener("DOMContentLoaded", () => setTimeout(tell, 0, form, typed));
}

if (draft) restore();
