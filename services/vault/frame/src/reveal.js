// Takes the one-time code and shows the card once. With kind=cvv it only confirms the code (a link is mailed), with
// kind=approve it confirms an approver's code for a second reveal (no card comes back).
import { listen, query, start, tell } from "./lib/bridge.js";
import { digitsOf, groupsOf, networkNamed } from "./lib/card.js";
import { byId, setProblem, setText, showPanel } from "./lib/dom.js";
import { Redeemer } from "./lib/redeem.js";
import { canSeal } from "./lib/seal.js";
import { serverNow } from "./lib/clock.js";

const CODE_DIGITS = 8;
const code = byId("code");
// What the code is for: how it is sealed, and what the button says.
const KINDS = {
  card: { typ: "wv-reveal+jwe", answerTyp: "wv-card+jwe", button: "Show card once" },
  cvv: { typ: "wv-cvv-confirm+jwe", answerTyp: null, button: "Confirm code" },
  approve: { typ: "wv-approve+jwe", answerTyp: null, button: "Approve" },
};
const kindOf = (name) => (Object.hasOwn(KINDS, name) ? name : "card");
let kind = kindOf(query("kind"));
let challengeId = "";
let expiresAt = 0;
let ticking = 0;
let done = false;

function busy(on) {
  byId("code-submit").disabled = on || !challengeId;
  byId("code-submit").classList.toggle("is-working", on);
  code.readOnly = on;
  byId("code-busy").hidden = !on;
}

function tick() {
  // Rounded up: what still works is never called expired.
  const left = Math.max(0, Math.ceil((expiresAt - serverNow()) / 1000));
  setText("code-left", left ? `This code works for ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} more.` : "This code has expired. Nothing was used up.");
  byId("code-resend").classList.toggle("is-main", left === 0);
  if (!left) clearInterval(ticking);
}

function begin(message) {
  if (done) return;
  kind = kindOf(message.kind);
  challengeId = String(message.challenge_id ?? "");
  expiresAt = Date.parse(message.expires_at) || 0;
  setText("code-address", String(message.address_hint ?? "your e-mail address"));
  setText("code-submit-text", KINDS[kind].button);
  code.value = "";
  code.disabled = false;
  setProblem(code, "");
  byId("code-again").hidden = true;
  byId("code-resend").disabled = false;
  busy(false);
  clearInterval(ticking);
  ticking = setInterval(tick, 1000);
  tick();
  showPanel("code");
  code.focus({ preventScroll: true });
}

function showCard(card) {
  done = true;
  clearInterval(ticking);
  code.value = "";
  challengeId = "";
  const digits = byId("card-number");
  digits.replaceChildren(...groupsOf(card.pan).map((group) => {
    const span = document.createElement("span");
    span.textContent = group;
    return span;
  }));
  digits.setAttribute("aria-label", `Card number ${groupsOf(card.pan).map((group) => [...group].join(" ")).join(", ")}`);
  setText("card-expiry", `${String(card.exp_month).padStart(2, "0")} / ${String(card.exp_year)}`);
  setText("card-name", card.name);
  setText("card-brand", networkNamed(card.brand).words);
  document.documentElement.dataset.brand = card.brand;
  showPanel("card");
  byId("card-panel").focus({ preventScroll: true });
  tell("shown", { kind: "card" });
}

const redeemer = new Redeemer({
  onAnswer: (content) => {
    busy(false);
    if (kind === "card") { showCard(content); return; }
    done = true;
    clearInterval(ticking);
    code.value = "";
    if (kind === "approve") {
      showPanel("approved");
      tell("shown", { kind: "approved" });
      return;
    }
    setText("mailed-address", String(content.address_hint || byId("code-address").textContent));
    showPanel("mailed");
    tell("shown", { kind: "cvv-link" });
  },
  onRefused: (message) => {
    busy(false);
    const left = Number(message.attempts_left) || 0;
    const more = message.code === "CODE_WRONG" && left ? ` ${left} ${left === 1 ? "try" : "tries"} left.` : "";
    code.value = "";
    setProblem(code, `${message.message ?? "That did not work."}${more}`);
    if (message.code !== "CODE_WRONG") {
      code.disabled = true;
      byId("code-submit").disabled = true;
      byId("code-resend").classList.add("is-main");
      if (["ALREADY_REVEALED", "CARD_GONE", "CVV_GONE", "PERMISSION_DENIED", "TOO_MANY_CHALLENGES"].includes(message.code)) byId("code-resend").disabled = true;
      byId("code-resend").focus();
    } else {
      code.focus();
    }
  },
  onUnreachable: (text) => {
    busy(false);
    code.readOnly = true;
    byId("code-submit").disabled = true;
    setText("code-again-text", text || "The connection was lost. Nothing was used up: try again, and the same answer comes.");
    byId("code-again").hidden = false;
    byId("code-again-button").focus();
  },
});

function submit(event) {
  event.preventDefault();
  const digits = digitsOf(code.value);
  if (digits.length !== CODE_DIGITS) { setProblem(code, `The code has ${CODE_DIGITS} digits.`); code.focus(); return; }
  setProblem(code, "");
  busy(true);
  const payload = { challenge_id: challengeId, code: digits };
  redeemer.send(payload, KINDS[kind].typ, KINDS[kind].answerTyp).catch(() => { busy(false); setProblem(code, "Your browser could not encrypt the request. Nothing was used up; please reload the page."); });
}

function main() {
  if (!canSeal()) { showPanel("unavailable"); start("reveal"); tell("failed"); return; }
  byId("code-form").addEventListener("submit", submit);
  code.addEventListener("input", () => { code.value = digitsOf(code.value).slice(0, CODE_DIGITS).replace(/^(\d{4})(\d+)$/, "$1 $2"); });
  byId("code-resend").addEventListener("click", () => { byId("code-resend").disabled = true; tell("resend"); });
  byId("code-again-button").addEventListener("click", () => { byId("code-again").hidden = true; busy(true); redeemer.again(); });
  const take = (message) => { void redeemer.take(message); };
  listen({ begin, answer: take, refused: take, unreachable: take });
  showPanel("waiting");
  start("reveal");
}

main();
