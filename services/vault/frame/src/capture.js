// Takes a card (or, with kind=cvv, a CVV only) and seals it to the vault.
import { listen, query, start, tell } from "./lib/bridge.js";
import {
  NETWORKS, brandOf, cleanName, codeSizes, cvvProblem, digitsOf, expiryProblem, formatExpiry, groupForTyping, luhnValid, mayLackCode,
  nameProblem, numberProblem, parseExpiry,
} from "./lib/card.js";
import { serverNow } from "./lib/clock.js";
import { byId, setProblem, setText, showPanel } from "./lib/dom.js";
import { canSeal, seal } from "./lib/seal.js";

const cvvOnly = query("kind") === "cvv";
// The agency's policy keeps no security code, so none is asked for.
const asksForCode = cvvOnly || query("cvv") !== "none";
const number = byId("cc-number");
const expiry = byId("cc-exp");
const cvv = byId("cc-csc");
const name = byId("cc-name");
const noCode = byId("cc-no-csc");
const fields = cvvOnly ? [cvv] : [number, expiry, ...(asksForCode ? [cvv] : []), name];
const MARKS = new Set([...document.querySelectorAll("[data-mark]")].map((mark) => mark.dataset.mark));
let intakeId = "";
const touched = new Set();
// The number's digits as they were grouped last.
let grouped = "";

const problemOf = {
  "cc-number": () => numberProblem(digitsOf(number.value)),
  "cc-exp": () => expiryProblem(expiry.value, new Date(serverNow())),
  "cc-csc": () => (hasNoCode() ? "" : cvvProblem(digitsOf(cvv.value), network())),
  "cc-name": () => nameProblem(name.value),
};
// The vault names fields as the sealed message does.
const inputOf = { pan: number, exp: expiry, exp_month: expiry, exp_year: expiry, cvv, name };

function network() {
  // A code asked for alone is of a card that the vault knows; it checks the size.
  return cvvOnly ? null : brandOf(digitsOf(number.value));
}

const hasNoCode = () => !cvvOnly && noCode.checked && mayLackCode(network());

function report() {
  const brand = brandOf(digitsOf(number.value));
  tell("state", { complete: fields.every((input) => !problemOf[input.id]()), brand: brand?.name ?? "" });
}

function showBrand() {
  const digits = digitsOf(number.value);
  const brand = brandOf(digits);
  const good = digits.length >= 12 && luhnValid(digits) && !numberProblem(digits);
  document.documentElement.dataset.brand = brand ? (MARKS.has(brand.name) ? brand.name : "other") : "";
  // Every network that has no mark here is called by its name.
  setText("brand-words", brand && !MARKS.has(brand.name) && brand !== NETWORKS.other ? brand.words : "");
  setText("brand-name", brand ? `${brand.words}${good ? ", number looks right" : ""}` : "");
  // A picture has no property of that name, only the attribute.
  byId("number-good").toggleAttribute("hidden", !good);
  showCode(brand);
}

function showCode(brand) {
  const sizes = codeSizes(brand);
  const front = sizes.every((size) => size === 4);
  setText("cvv-where", front ? "4 digits, on the front above the number" : `${brand ? sizes.join(" or ") : 3} digits, on the back by the signature`);
  byId("cvv-picture").dataset.side = front ? "front" : "back";
  byId("no-code").hidden = cvvOnly || !mayLackCode(brand);
  const none = hasNoCode();
  cvv.disabled = none;
  if (none) { cvv.value = ""; setProblem(cvv, ""); }
}

/**
 * Regroups the number and keeps the caret behind the same digit. Where only the blank between two groups was deleted, the
 * digit beyond it goes: nobody typed that blank. Nothing is cut off: a number that is too long is said to be.
 * @param {string} kind of the change, as events name it
 */
function regroup(kind) {
  let before = digitsOf(number.value.slice(0, number.selectionStart ?? number.value.length)).length;
  let digits = digitsOf(number.value);
  if (digits === grouped && kind === "deleteContentBackward" && before) before -= 1;
  if (digits === grouped && /^deleteContent(Back|For)ward$/.test(kind)) digits = digits.slice(0, before) + digits.slice(before + 1);
  grouped = digits;
  number.value = groupForTyping(digits);
  number.classList.toggle("is-long", digits.length > 16);
  let caret = 0;
  for (let seen = 0; seen < before && caret < number.value.length; caret += 1) {
    if (/\d/.test(number.value[caret])) seen += 1;
  }
  if (document.activeElement === number) number.setSelectionRange(caret, caret);
}

/** Does something with what a field holds; an input method's digits are final only when it is done with them. */
function whenSettled(input, act) {
  input.addEventListener("input", (event) => { if (!event.isComposing) act(event); });
  input.addEventListener("compositionend", act);
}

function formatted(event) {
  const kind = String(event.inputType ?? "");
  expiry.value = formatExpiry(expiry.value, kind.startsWith("delete"), kind === "insertText" && event.data?.length === 1);
}

function wire() {
  whenSettled(number, (event) => regroup(String(event.inputType ?? "")));
  whenSettled(expiry, formatted);
  whenSettled(cvv, () => { cvv.value = digitsOf(cvv.value); });
  number.addEventListener("input", showBrand);
  // Some browsers and password managers tell of what they filled in by this event alone.
  number.addEventListener("change", () => { regroup(""); showBrand(); report(); });
  cvv.addEventListener("change", () => { cvv.value = digitsOf(cvv.value); report(); });
  for (const done of ["blur", "change"]) {
    expiry.addEventListener(done, () => { expiry.value = formatExpiry(expiry.value, false, false); report(); });
  }
  noCode.addEventListener("change", () => { showBrand(); report(); });
  for (const input of fields) {
    input.addEventListener("input", () => {
      if (touched.has(input)) setProblem(input, problemOf[input.id]());
      report();
    });
    // An empty field that was only passed by is not an error yet.
    input.addEventListener("blur", () => {
      if (!input.value) return;
      touched.add(input);
      setProblem(input, problemOf[input.id]());
    });
  }
  // Enter in a field asks the page, which owns the button, to go on.
  byId("card-form").addEventListener("submit", (event) => { event.preventDefault(); tell("submit"); });
}

function findProblems() {
  const found = [];
  for (const input of fields) {
    touched.add(input);
    const message = problemOf[input.id]();
    setProblem(input, message);
    if (message) found.push({ name: input.id, message });
  }
  return found;
}

async function sealFor(message) {
  const found = findProblems();
  if (found.length) {
    byId(found[0].name).focus();
    tell("invalid", { request_id: message.request_id, fields: found });
    return;
  }
  if (!intakeId) {
    tell("invalid", { request_id: message.request_id, fields: [{ name: "form", message: "The form is not ready yet. Please try again." }] });
    return;
  }
  const digits = asksForCode && !hasNoCode() ? digitsOf(cvv.value) : "";
  const card = parseExpiry(expiry.value);
  const payload = cvvOnly
    ? { cvv: digits, intake_id: intakeId }
    : { pan: digitsOf(number.value), exp_month: card.month, exp_year: card.year, cvv: digits, name: cleanName(name.value), intake_id: intakeId };
  try {
    tell("sealed", { request_id: message.request_id, jwe: await seal(payload, cvvOnly ? "wv-cvv-store+jwe" : "wv-store+jwe") });
  } catch {
    // Nothing of the cause is passed on: it could hold what was typed.
    tell("invalid", { request_id: message.request_id, fields: [{ name: "form", message: "Your browser could not encrypt the card. Please reload the page." }] });
  }
}

function main() {
  byId("card-form").dataset.kind = cvvOnly ? "cvv" : "card";
  if (!canSeal()) { showPanel("unavailable"); start("capture"); tell("failed"); return; }
  wire();
  showBrand();
  listen({
    begin: (message) => {
      intakeId = String(message.intake_id ?? "");
      setText("lock-agent", message.agent_name ? String(message.agent_name) : "your travel agent");
    },
    seal: (message) => { void sealFor(message); },
    "field-error": (message) => {
      const input = inputOf[message.field] ?? number;
      touched.add(input);
      setProblem(input, String(message.message ?? ""));
      input.focus();
    },
  });
  // What was typed must not come back from the browser's page cache.
  window.addEventListener("pagehide", () => { for (const input of [number, expiry, cvv, name]) input.value = ""; });
  showPanel("form");
  start("capture");
}

main();
