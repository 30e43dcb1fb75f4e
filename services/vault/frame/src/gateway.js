// Takes the keys of an agency's payment gateway and seals them to the vault. What was typed
// leaves this page sealed, and is forgotten when the gateway has accepted it; only the last four characters stay.
import { listen, query, start, tell } from "./lib/bridge.js";
import { byId, setProblem, setText, showPanel } from "./lib/dom.js";
import { GATEWAYS } from "./lib/gateway-keys.js";
import { Redeemer } from "./lib/redeem.js";
import { canSeal, seal } from "./lib/seal.js";

const TYP = "wv-gateway-key+jwe";
const HINT = 4;
const WORDS = { live: "Live: real money moves.", test: "Test: no money moves." };
const gateway = Object.hasOwn(GATEWAYS, query("kind")) ? query("kind") : "stripe";
const { problems, mode: modeOf } = GATEWAYS[gateway];
const form = byId("gateway-form");
const fields = Object.keys(problems);
const confirms = byId("gw-confirms_mode");
const touched = new Set();
let entryId = "";
/** "live" or "test" as it is set now; "" where no key is. */
let present = "";

const inputOf = (name) => byId(`gw-${name}`);

function typed() {
  return Object.fromEntries(fields.map((name) => [name, inputOf(name).value.trim()]));
}

const changesMode = () => Boolean(present && modeOf(typed()) && modeOf(typed()) !== present);

function showMode() {
  const mode = modeOf(typed());
  const words = byId("gw-mode-words");
  words.textContent = WORDS[mode] ?? "";
  words.dataset.mode = mode;
  byId("gw-confirm").hidden = !changesMode();
  setText("gw-confirm-words", mode === "live" ? "Real money moves from now on. I mean it." : "No money moves any more: every charge is a test. I mean it.");
}

function problemOf(name) {
  if (name === "confirms_mode") return changesMode() && !confirms.checked ? "Tick this to go on: test and live change places." : "";
  return problems[name](typed());
}

function findProblems() {
  const found = [...fields, "confirms_mode"].filter((name) => {
    touched.add(name);
    setProblem(inputOf(name), problemOf(name));
    return problemOf(name);
  });
  if (found.length) inputOf(found[0]).focus();
  return found.length > 0;
}

function busy(on) {
  byId("gw-submit").disabled = on;
  byId("gw-submit").classList.toggle("is-working", on);
  byId("gw-busy").hidden = !on;
  for (const input of form.querySelectorAll("input, select")) input.disabled = on;
}

function again(text) {
  setText("gw-again-text", text);
  byId("gw-again").hidden = !text;
}

function forget() {
  for (const name of fields) inputOf(name).value = "";
}

function stored() {
  const mode = modeOf(typed());
  setText("gw-stored-key", `…${inputOf("key").value.trim().slice(-HINT)}`);
  setText("gw-stored-mode", WORDS[mode]);
  forget();
  showPanel("stored");
  byId("gw-stored").focus({ preventScroll: true });
  tell("shown", { kind: "stored" });
}

const redeemer = new Redeemer({
  onAnswer: () => { busy(false); stored(); },
  onRefused: (message) => {
    busy(false);
    const name = [...fields, "confirms_mode"].includes(message.field) ? message.field : "key";
    setProblem(inputOf(name), message.message || "That did not work. Nothing was changed.");
    inputOf(name).focus();
  },
  onUnreachable: (text) => {
    busy(false);
    again(text || "The connection was lost. What you typed is still here; nothing was sent twice.");
    byId("gw-again-button").focus();
  },
}, 50_000);

async function send(event) {
  event.preventDefault();
  again("");
  if (findProblems() || !entryId) return;
  busy(true);
  try {
    await redeemer.send({ ...typed(), entry_id: entryId, gateway, confirms_mode: confirms.checked }, TYP, null);
  } catch {
    // Nothing of the cause is passed on: it could hold what was typed.
    busy(false);
    again("Your browser could not encrypt the keys. Nothing was sent; please reload the page.");
  }
}

function changed(name) {
  showMode();
  again("");
  if (touched.has(name)) setProblem(inputOf(name), problemOf(name));
}

function wire() {
  for (const name of [...fields, "confirms_mode"]) {
    inputOf(name).addEventListener("input", () => changed(name));
    // An empty field that was only passed by is not an error yet.
    inputOf(name).addEventListener("blur", () => {
      if (!inputOf(name).value || name === "confirms_mode") return;
      touched.add(name);
      setProblem(inputOf(name), problemOf(name));
    });
  }
  form.addEventListener("submit", (event) => { void send(event); });
  byId("gw-again-button").addEventListener("click", () => { again(""); busy(true); redeemer.again(); });
}

function main() {
  if (!canSeal()) { showPanel("unavailable"); start("gateway"); tell("failed"); return; }
  wire();
  const take = (message) => { void redeemer.take(message); };
  listen({
    begin: (message) => {
      entryId = String(message.entry_id ?? "");
      present = ["live", "test"].includes(message.present) ? message.present : "";
      showMode();
    },
    answer: take, refused: take, unreachable: take,
  });
  // What was typed must not come back from the browser's page cache.
  window.addEventListener("pagehide", forget);
  showPanel("form");
  start("gateway");
}

main();
