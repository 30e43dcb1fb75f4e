// The authorization page: the frame seals the card, the form travels with it, and whatever goes wrong stays on this
// page with everything that was typed. The card itself never reaches this script: it sees a sealed text only.
import { csrfToken, element } from "/static/chassis/ui.js";
import { SealRefused, mountFrame } from "/static/chassis/frame-host.js";
import { onRetry, onSubmit, reloadWhenBack } from "/static/portal/sealed-form.js";

const SUBMIT_TIMEOUT_MS = 40000;
const ASK_EVERY_MS = 500;
const ASK_TIMES = 80;
const form = document.getElementById("authorize");
const button = document.getElementById("authorize-button");
const live = document.getElementById("live");
const summary = document.getElementById("summary");
const summaryList = document.getElementById("summary-list");
const place = document.getElementById("card-frame");
const trouble = document.getElementById("card-trouble");
const cardError = document.getElementById("card-error");
const facts = form.dataset;

let frame = null;

// ------------------------------------------------------------------ the card form
function begin(intakeId) {
  form.elements.intake_id.value = intakeId;
  frame.begin({ intake_id: intakeId, agent_name: facts.agent, amount_text: facts.amount });
}

function mount(intakeId) {
  trouble.hidden = true;
  place.hidden = false;
  // The page must not jump under the pointer while one frame goes and the next one comes.
  place.style.minHeight = frame ? `${place.offsetHeight}px` : "";
  frame?.destroy();
  frame = mountFrame(place, {
    mode: "capture",
    origin: facts.frameOrigin,
    title: "Secure card form",
    asksForCode: facts.asksForCode === "yes",
    onState: () => { cardError.hidden = true; },
    onSubmit: () => form.requestSubmit(button),
  });
  begin(intakeId);
}

function showTrouble(message) {
  if (message) document.getElementById("card-trouble-text").textContent = message;
  trouble.hidden = false;
  place.hidden = true;
}

onRetry(document.getElementById("card-retry"), facts.intakeUrl, mount, showTrouble);

// ------------------------------------------------------------------ what is wrong, beside each field and on top
function clearProblems() {
  summary.hidden = true;
  cardError.hidden = true;
  for (const note of form.querySelectorAll(".wv-field-error[data-pt]")) note.remove();
  for (const note of form.querySelectorAll(".wv-field > .wv-field-error")) note.remove();
  for (const field of form.querySelectorAll(".is-invalid")) field.classList.remove("is-invalid");
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

function markField(name, message) {
  if (name === "sealed_card") {
    cardError.lastElementChild.textContent = message;
    cardError.hidden = false;
    return "card";
  }
  const field = document.getElementById(name);
  const wrap = field?.closest(".wv-field");
  if (!wrap) return "authorize-button";
  const note = element("p", { className: "wv-field-error", id: `${name}-error`, textContent: message });
  note.dataset.pt = "1";
  wrap.classList.add("is-invalid");
  if (wrap === field) {
    wrap.querySelector("legend").after(note);
    return name;
  }
  (wrap.querySelector(":scope > label") ?? wrap.firstElementChild).before(note);
  wrap.querySelector(":scope > label")?.after(note);
  field.classList.add("is-invalid");
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", note.id);
  return name;
}

// A box that is ticked now says no longer that it is missing.
form.elements.consent?.addEventListener("change", ({ target }) => {
  const wrap = target.closest(".wv-field.is-invalid");
  if (!wrap || !target.checked) return;
  wrap.querySelector(".wv-field-error")?.remove();
  for (const part of [wrap, target]) part.classList.remove("is-invalid");
  target.removeAttribute("aria-invalid");
  target.removeAttribute("aria-describedby");
});

function goTo(event, target) {
  event.preventDefault();
  const node = document.getElementById(target);
  node?.scrollIntoView({ block: "center" });
  if (target === "card") frame?.focus();
  else if (target === "signature") node.querySelector("canvas:not([hidden]), input:not([type=hidden])")?.focus({ preventScroll: true });
  else node?.focus({ preventScroll: true });
}

/** @param {[string, string][]} problems target id and message */
function showSummary(title, problems) {
  document.getElementById("summary-title").textContent = title;
  summaryList.replaceChildren(...problems.map(([target, message]) => {
    const line = target ? element("a", { href: `#${target}`, textContent: message }) : element("span", { textContent: message });
    if (target) line.addEventListener("click", (event) => goTo(event, target));
    return element("li", {}, line);
  }));
  summary.hidden = false;
  summary.scrollIntoView({ block: "start" });
  summary.focus({ preventScroll: true });
}

/** @param {Object<string, string>} fields the server's @param {string[]} cardFaults the frame's, shown beside its fields */
function showFields(fields, cardFaults) {
  const order = ["sealed_card", "country", "line1", "line2", "city", "postal_code", "region", "signature", "consent"];
  const known = { ...fields };
  if (cardFaults.length) delete known.sealed_card;
  const names = Object.keys(known).sort((one, other) => order.indexOf(one) - order.indexOf(other));
  const problems = [
    ...cardFaults.map((fault) => ["card", fault]),
    ...names.map((name) => [markField(name, known[name]), known[name]]),
  ];
  showSummary(problems.length === 1 ? "Please check one thing" : `Please check ${problems.length} things`, problems);
}

// ------------------------------------------------------------------ sending
async function sealCard() {
  if (!frame || !trouble.hidden) return { card: "", faults: ["Enter your card once the secure form is back."] };
  try {
    return { card: await frame.seal(), faults: [] };
  } catch (error) {
    if (error instanceof SealRefused) return { card: "", faults: error.messages };
    return { card: "", faults: ["The secure card form did not answer. Please reload the page."] };
  }
}

async function post(sealed) {
  form.elements.sealed_card.value = sealed;
  const body = new FormData(form);
  form.elements.sealed_card.value = "";
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
      body,
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(SUBMIT_TIMEOUT_MS),
    });
    return await response.json();
  } catch {
    return { error: { code: "UNREACHABLE", message: "The connection was lost. Nothing you typed is gone. Press the button again; you can't be charged twice." } };
  }
}

/** Another window or click was first: asks what became of it, until it is known. */
async function outcomeOf(answer) {
  for (let times = 0; answer.under_way && times < ASK_TIMES; times += 1) {
    await new Promise((resolve) => { setTimeout(resolve, ASK_EVERY_MS); });
    try {
      const response = await fetch(answer.ask, { headers: { Accept: "application/json" }, credentials: "same-origin", redirect: "error" });
      answer = await response.json();
    } catch {
      // A moment without connection: the next question may get through.
    }
  }
  return answer.under_way ? { error: { code: "UNDER_WAY", message: "It is taking longer than it should. Reload this page in a minute: it then shows whether your authorization came in." } } : answer;
}

async function send(mayStartOver) {
  live.textContent = "Encrypting your card…";
  const { card, faults } = await sealCard();
  live.textContent = faults.length ? "" : "Sending your authorization…";
  // Without a card nothing can be stored; the server's answer then tells what else is missing, all at once.
  const answer = await outcomeOf(await post(card));
  if (answer.next && !answer.error) {
    live.textContent = "Authorized.";
    window.location.assign(answer.next);
    return true;
  }
  const error = answer.error ?? { code: "INTERNAL", message: "Something went wrong on our side. Nothing was charged; please try again." };
  if (error.code === "FORM_INVALID") showFields(error.fields ?? {}, faults);
  else if (error.code === "START_OVER") return startOver(error, mayStartOver);
  else showRefusal(error, answer.next);
  return false;
}

async function startOver(error, mayStartOver) {
  if (!error.fresh_frame) {
    begin(error.intake_id);
    // The card still stands in the frame: it is sealed anew for the new slot, and the client need not know.
    if (mayStartOver) return send(false);
    showSummary("Please press the button again", [["", error.message]]);
    return false;
  }
  mount(error.intake_id);
  showSummary("Please enter your card once more", [["card", "The secure form had to be renewed. Enter the card again; your address and signature are kept."]]);
  return false;
}

function showRefusal(error, next) {
  if (error.code === "CARD_INVALID") {
    frame?.fieldError(error.card_field || "pan", error.message);
    showSummary("Your card was not accepted", [["card", error.message], ["", "Your address and signature are kept. Correct the card and press the button again."]]);
    return;
  }
  const titles = {
    UNAVAILABLE: "We can't take your card right now",
    UNREACHABLE: "The connection was lost",
    OFFER_CHANGED: "This request has changed",
    UNDER_WAY: "Your authorization is on its way",
    NOT_SENT: "Your authorization did not go through",
    SIGNED_OUT: "You were signed out",
    SESSION_ENDED: "This page was open for too long",
    FORM_EXPIRED: "This page was open for too long",
    CARD_NUMBER_REFUSED: "A card number belongs in the secure card form only",
  };
  const lines = [["", error.message]];
  if (error.code === "UNAVAILABLE") lines.push(["", "Nothing was charged, and everything you typed is kept. Press the button again in a moment."]);
  showSummary(titles[error.code] ?? "That did not work", lines);
  if (next) summaryList.append(element("li", {}, element("a", { href: next, textContent: "Go on" })));
}

onSubmit(form, button, live, () => {
  clearProblems();
  return send(true);
});
reloadWhenBack();

// ------------------------------------------------------------------ the three steps (on a phone)
/** Marks the step whose part is the last one that has come up to the middle of the window. */
const steps = [...document.querySelectorAll(".pt-steps a")].map((link) => [link, document.querySelector(link.hash)]);
const watcher = new IntersectionObserver(() => {
  const reached = steps.filter(([, part]) => part.getBoundingClientRect().top < window.innerHeight / 2);
  const present = (reached.at(-1) ?? steps[0])[0];
  for (const [link] of steps) {
    if (link === present) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
}, { threshold: [0, 0.25, 0.5, 0.75, 1], rootMargin: "0px 0px -50% 0px" });
for (const [, part] of steps) watcher.observe(part);

if (facts.intake) mount(facts.intake);
else showTrouble("");

// Live from here on: before, a click would have sent the form without the card.
button.disabled = false;
