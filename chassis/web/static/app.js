// Progressive enhancement of every page: each thing here makes something better that works without it.
import { looksLikeCard } from "./card-detector.js";
import { element, setBusy, toast } from "./ui.js";

const INTERACTIVE = "a, button, input, select, textarea, label, summary, [role=button]";
const FILE_MESSAGE = "The name of this file looks like a card number. Give the file another name, and choose it again.";
const CARD_MESSAGE = "That looks like a card number. It belongs only in the secure card form, so please take it out here. "
  + "If it is another long number, put brackets around its first three digits: (220) 2345678908. Write a phone number with its plus sign and country code.";

// ------------------------------------------------------------------ rows open as a whole
function openRow(event) {
  const row = event.target.closest("tr[data-wv-href]");
  if (!row || event.target.closest(INTERACTIVE) || event.defaultPrevented || String(getSelection())) return;
  if (event.type === "auxclick" ? event.button === 1 : event.ctrlKey || event.metaKey) window.open(row.dataset.wvHref, "_blank", "noopener");
  else if (event.type === "click") window.location.assign(row.dataset.wvHref);
}
document.addEventListener("click", openRow);
document.addEventListener("auxclick", openRow);

// ------------------------------------------------------------------ dialogs
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-wv-dialog]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.wvDialog);
    if (dialog instanceof HTMLDialogElement) { event.preventDefault(); dialog.showModal(); }
    return;
  }
  const closer = event.target.closest("[data-wv-close]");
  if (closer) { event.preventDefault(); closer.closest("dialog")?.close(); return; }
  // A click on the backdrop is the safe choice too.
  if (event.target instanceof HTMLDialogElement && event.target.matches(".wv-dialog")) event.target.close();
});
// A dialog whose form came back with errors opens again.
document.querySelector("dialog.wv-dialog .wv-field.is-invalid")?.closest("dialog").showModal();

// ------------------------------------------------------------------ what was done is said where the eye is
// A page that opens at one of its parts says it there: at its top it would be out of sight.
const said = document.querySelector("[data-wv-said]");
const target = document.getElementById(location.hash.slice(1));
if (said && target) {
  (target.closest("section, form") ?? target).before(said);
  // Until it has loaded, the browser leads to the target again and again: so far above it that both are seen.
  const between = target.getBoundingClientRect().top - said.getBoundingClientRect().top;
  target.style.scrollMarginTop = `${between + parseFloat(getComputedStyle(said).scrollMarginTop)}px`;
  target.scrollIntoView();
}

// ------------------------------------------------------------------ what belongs to a tick
// Styles hide it without the tick, where the browser can; what is hidden was left out on purpose, and the form says so.
if (CSS.supports("selector(:has(*))")) {
  for (const shown of document.querySelectorAll("[name=parts_shown]")) shown.value = "ticked";
}

// ------------------------------------------------------------------ several rows at once
// How many are ticked is said; the link that ticks every row of the page does it here, and undoes it.
const ticksOf = (form) => [...document.querySelectorAll(`input[type=checkbox][name=pick][form="${form.id}"]`)];
function sayTicked(form) {
  const all = ticksOf(form);
  const count = all.filter((box) => box.checked).length;
  const said = form.querySelector("[data-wv-ticked]");
  if (!said) return;
  said.dataset.words ??= said.textContent;
  said.textContent = count ? `${count} of ${all.length} ticked:` : said.dataset.words;
  form.querySelector("[data-wv-tick-all]").textContent = count && count === all.length ? "Select none" : "Select all on this page";
}
document.addEventListener("change", (event) => {
  if (event.target.matches("input[name=pick]") && event.target.form?.matches("[data-wv-bulk]")) sayTicked(event.target.form);
});
document.addEventListener("click", (event) => {
  const form = event.target.closest("[data-wv-tick-all]")?.closest("form");
  if (!form) return;
  event.preventDefault();
  const every = ticksOf(form).every((box) => box.checked);
  for (const box of ticksOf(form)) box.checked = !every;
  sayTicked(form);
});
function sayAllTicked() {
  for (const form of document.querySelectorAll("[data-wv-bulk]")) sayTicked(form);
}
// A list that has followed (live.js) keeps its ticks and has the server's words.
document.addEventListener("wv-live", sayAllTicked);
sayAllTicked();

// ------------------------------------------------------------------ lists with more than there is room for
// They are moved sideways rather than cut off; all others keep their headings in view (app.css).
const sizes = new ResizeObserver((seen) => {
  for (const { target } of seen) {
    const frame = target.closest(".wv-table-frame");
    // A list that live.js has put another in place of has none any more.
    if (frame) sayTight(frame);
  }
});
function sayTight(frame) {
  frame.classList.toggle("is-tight", frame.firstElementChild.offsetWidth > frame.clientWidth);
}
function watchTables() {
  for (const frame of document.querySelectorAll(".wv-table-frame")) {
    sayTight(frame);
    for (const part of [frame, frame.firstElementChild]) sizes.observe(part);
  }
}
document.addEventListener("wv-live", watchTables);
watchTables();

// ------------------------------------------------------------------ copying
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-wv-copy]");
  const source = button && document.getElementById(button.dataset.wvCopy);
  if (!source) return;
  const text = source.value ?? source.textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.", "done");
  } catch {
    // Not allowed here (an insecure address, a setting): marked, so that the keyboard's own copy takes it.
    getSelection().selectAllChildren(source);
    toast("Press Ctrl+C (or ⌘C) to copy what is marked.", "wait");
  }
});

// ------------------------------------------------------------------ colours
// A colour written as # and digits gets the system's own picker beside it; either follows the other.
for (const written of document.querySelectorAll("[data-wv-colour]")) {
  const picker = element("input", { type: "color", className: "form-control form-control-color" });
  picker.setAttribute("aria-label", "Choose a colour");
  const fits = () => /^#[0-9a-f]{6}$/i.test(written.value);
  if (fits()) picker.value = written.value;
  picker.addEventListener("input", () => { written.value = picker.value; });
  written.addEventListener("input", () => { if (fits()) picker.value = written.value; });
  const row = element("div", { className: "wv-cluster" });
  written.replaceWith(row);
  row.append(written, picker);
}

// ------------------------------------------------------------------ search and menus
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const search = document.querySelector("[data-wv-search]");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  }
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details[data-wv-menu][open]")) { menu.open = false; menu.querySelector("summary").focus(); }
    if (event.target.matches?.("[data-wv-search]")) event.target.blur();
  }
  if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.closest?.(".wv-top-search")) {
    const stops = [...document.querySelectorAll("[data-wv-search], .wv-search-results a")];
    const next = stops[stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) { event.preventDefault(); next.focus(); }
  }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-wv-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
});

// ------------------------------------------------------------------ forms
const TYPED = "input:not([type=hidden], [type=password], [type=checkbox], [type=radio], [type=submit], [type=button]), textarea";

const DAY_MESSAGE = "There is no such day, or a part of the date is missing. Check day, month and year.";

/**
 * Says beside a field what is wrong with it, or takes that back. Everything that was typed stays.
 * @param {string} kind of the fault @param {string} message "" for none
 */
function sayBeside(field, kind, message) {
  const wrap = field.closest(".wv-field") ?? field.parentElement;
  const id = `${field.id || field.name || "field"}-${kind}-fault`;
  const said = document.getElementById(id);
  if (message && !said) {
    field.before(element("p", { className: "wv-field-error", id, role: "alert", textContent: message }));
    field.dataset.wvDescribed ??= field.getAttribute("aria-describedby") ?? "";
    field.setAttribute("aria-describedby", `${id} ${field.dataset.wvDescribed}`.trim());
  } else if (!message && said) {
    said.remove();
    field.setAttribute("aria-describedby", field.dataset.wvDescribed ?? "");
  } else if (!message) return false;
  field.toggleAttribute("aria-invalid", Boolean(message));
  if (message) field.setAttribute("aria-invalid", "true");
  field.classList.toggle("is-invalid", Boolean(message));
  wrap.classList.toggle("is-invalid", Boolean(message));
  return Boolean(message);
}

const messageFor = (field) => (field.type === "file"
  ? [...field.files].some((file) => looksLikeCard(file.name)) && FILE_MESSAGE
  : looksLikeCard(field.value) && CARD_MESSAGE);
const checkForCard = (field) => sayBeside(field, "card", messageFor(field) || "");
// A browser sends nothing at all for 31 February and for a date that is not whole: it would be saved as none.
const checkDay = (field) => field.type === "date" && sayBeside(field, "day", field.validity.badInput ? DAY_MESSAGE : "");
const hasFault = (field) => checkForCard(field) || checkDay(field);

document.addEventListener("change", (event) => { if (event.target.matches?.(TYPED)) checkForCard(event.target); });
document.addEventListener("focusout", (event) => { if (event.target.matches?.("input[type=date]")) checkDay(event.target); });
document.addEventListener("input", (event) => { if (event.target.matches?.(`${TYPED}`) && event.target.classList.contains("is-invalid")) hasFault(event.target); });

document.addEventListener("submit", (event) => {
  const form = event.target;
  const faults = [...form.querySelectorAll(TYPED)].filter(hasFault);
  if (faults.length || (form.method === "post" && form.dataset.wvSent)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    faults[0]?.focus();
  }
}, { capture: true });

document.addEventListener("submit", (event) => {
  const form = event.target;
  // A page's own script that takes over the sending shows the working state itself.
  if (event.defaultPrevented || !form.matches("[data-wv-form]")) return;
  form.dataset.wvSent = "yes";
  const button = event.submitter ?? form.querySelector("button[type=submit]");
  // After this turn: the browser first reads the button's name and value.
  if (button) setTimeout(() => setBusy(button, true));
});

window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-wv-sent]")) delete form.dataset.wvSent;
  for (const button of document.querySelectorAll("[aria-busy=true]")) setBusy(button, false);
});

document.querySelector("[data-wv-focus]")?.focus();
for (const link of document.querySelectorAll(".wv-errors a[href^='#']")) {
  link.addEventListener("click", (event) => {
    const field = document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    field.scrollIntoView({ block: "center" });
    field.focus({ preventScroll: true });
  });
}

// ------------------------------------------------------------------ pages that say no
for (const button of document.querySelectorAll("[data-wv-back]")) {
  if (history.length < 2) continue;
  button.hidden = false;
  button.addEventListener("click", () => history.back());
}

// ------------------------------------------------------------------ live parts (htmx)
const isPassive = (event) => Boolean(event.detail.requestConfig?.headers?.["X-Wayvault-Passive"]);
// What is being typed into a search is never sent while it looks like a card number.
document.addEventListener("htmx:beforeRequest", (event) => {
  const field = event.detail.elt;
  if (field.matches?.(TYPED) && checkForCard(field)) event.preventDefault();
});
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) {
    // Never reload by ourselves: a card may be on this screen, and it is shown only once.
    document.dispatchEvent(new CustomEvent("wv-signed-out"));
  } else if (event.detail.xhr.status === 422 && event.detail.elt.matches?.(TYPED)) {
    toast(CARD_MESSAGE, "alert");
  } else if (!isPassive(event)) {
    toast("That did not work. Nothing was changed; please try again.", "alert");
  }
});
document.addEventListener("htmx:sendError", (event) => {
  if (!isPassive(event)) toast("The connection was lost. Nothing was changed; please try again.", "alert");
});
