// The payment area (M5, M6): supplier ready → code → card shown → CVV → close, without a reload, because the card is
// shown in this window only and only once.
import { mountFrame } from "/static/chassis/frame-host.js";
import { Refused, Unreachable, guardLeaving, setBusy, toast } from "/static/chassis/ui.js";
import { sendInPlace } from "./in-place.js";
import { postFresh, relay, renewToken } from "./relay.js";

const $ = (id) => document.getElementById(id);
const area = $("payment-area");
const paymentId = area.dataset.payment;
const stateUrl = `/payments/${paymentId}/state`;
const channel = "BroadcastChannel" in window ? new BroadcastChannel("wv-payments") : null;
const LEAVE = "The card is shown in this window, once. If you leave, it can't come back. Leave all the same?";
const OTHER_TAB = "This payment is being retrieved in another tab of this browser. Go back to that tab; a card is shown in one window only.";
const SIGNED_OUT = "You have been signed out. Sign in again in another tab, then press “Try again” here; nothing was used up.";
let stopGuard = null;

/** The access history and the other live parts of this page follow; the frame stays as it is. */
const follow = () => document.dispatchEvent(new Event("wv-news"));

const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

function moveTo(step) {
  const steps = [...document.querySelectorAll(".wv-stepper li")];
  steps.forEach((item, index) => {
    item.classList.toggle("is-done", index < step);
    item.classList.toggle("is-current", index === step);
    if (index === step) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
    const dot = item.querySelector(".wv-step-dot");
    if (index < step) dot.textContent = "✓";
  });
}

function problem(place, text) {
  place.textContent = text;
  place.hidden = !text;
}

function explain(error) {
  if (error instanceof Unreachable) return "The connection was lost. Nothing was used up; please try again.";
  if (error instanceof Refused && error.code.startsWith("UNAUTH")) return SIGNED_OUT;
  if (error instanceof Refused && error.message) return error.message;
  return "That did not work. Nothing was used up; please try again.";
}

function onTrouble(error) {
  if (error instanceof Refused && error.code.startsWith("UNAUTH")) toast(SIGNED_OUT, "wait");
}

/** Keeps this payment to one tab while a code is out or the card is shown. Resolves false when another tab has it. */
function takeLock() {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    navigator.locks.request(`wv-payment-${paymentId}`, { ifAvailable: true }, (lock) => {
      resolve(Boolean(lock));
      // Held until the tab goes.
      return lock ? new Promise(() => {}) : undefined;
    });
  });
}
let lock = null;
const ownTab = () => (lock ??= takeLock().then((got) => { if (!got) lock = null; return got; }));

// ------------------------------------------------------------------ leaving asks first
function guardWindow() {
  stopGuard ??= guardLeaving();
}
function release() {
  stopGuard?.();
  stopGuard = null;
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!stopGuard || !link || link.target === "_blank" || event.ctrlKey || event.metaKey || link.getAttribute("href").startsWith("#")) return;
  // Opening it beside this window keeps the card: offer that rather than a lost card.
  event.preventDefault();
  event.stopPropagation();
  if (window.confirm(LEAVE)) {
    release();
    window.location.assign(link.href);
  }
}, { capture: true });
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!stopGuard || event.defaultPrevented || form.id === "retrieve-form" || form.method === "dialog") return;
  const answeredHere = form.closest("dialog") || form.matches("[data-in-place]");
  if (!answeredHere && window.confirm(LEAVE)) { release(); return; }
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!answeredHere) return;
  // A slip in a field or a lost connection must not cost the card: only what the server has done unloads this page.
  sendInPlace(form, event.submitter, {
    explain,
    renew: () => renewToken(stateUrl),
    leave: (url) => { release(); window.location.assign(url); },
  });
}, { capture: true });

// ------------------------------------------------------------------ the card
function replaceBadge(selector, template) {
  document.querySelector(selector)?.replaceWith($(template).content.cloneNode(true));
}

function cardShown() {
  guardWindow();
  area.dataset.state = "retrieved";
  moveTo($("cvv-button") ? 3 : 4);
  $("shown-strip").hidden = false;
  $("retrieve-title").textContent = "The card";
  // In view while the CVV is fetched below it.
  $("retrieve").classList.add("is-pinned");
  replaceBadge(".wv-page-title .wv-badge", "shown-badge");
  replaceBadge(".wv-card-face-top .wv-badge", "revealed-badge");
  if ($("billing-beside")) $("billing-beside").hidden = false;
  $("process-button").disabled = false;
  $("process-when")?.remove();
  if ($("cvv-button")) {
    $("cvv-button").disabled = false;
    $("cvv-when")?.remove();
  }
  $("reveal").scrollIntoView({ block: "nearest" });
  follow();
  channel?.postMessage({ payment: paymentId, fact: "retrieved" });
}

function setUpRetrieve(form) {
  const ready = $("supplier-ready");
  const button = $("retrieve-button");
  const place = $("retrieve-problem");
  let controller = null;
  let key = newKey();

  async function askForCode() {
    const sent = await postFresh(form.dataset.url, { request_key: key, supplier_ready: ready.checked }, stateUrl);
    key = newKey();
    follow();
    return sent;
  }

  async function resend() {
    try {
      controller.begin({ ...(await askForCode()), kind: "card" });
    } catch (error) {
      problem(place, explain(error));
    }
  }

  function openFrame(sent) {
    form.hidden = true;
    $("reveal").hidden = false;
    moveTo(1);
    controller = mountFrame($("reveal-frame"), {
      mode: "reveal",
      kind: "card",
      origin: area.dataset.frameOrigin,
      title: "Secure form: your code, then the card",
      onConfirm: relay(form.dataset.revealUrl, { stateUrl, onTrouble }),
      onResend: resend,
      onShown: cardShown,
    });
    controller.begin({ ...sent, kind: "card" });
    controller.focus();
  }

  button.disabled = !ready.checked;
  ready.addEventListener("change", () => { button.disabled = !ready.checked; });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-busy") === "true") return;
    problem(place, "");
    setBusy(button, true);
    try {
      if (!(await ownTab())) { problem(place, OTHER_TAB); return; }
      openFrame(await askForCode());
    } catch (error) {
      problem(place, explain(error));
    } finally {
      setBusy(button, false);
    }
  });
}

// ------------------------------------------------------------------ the CVV
function setUpCvv(button) {
  const place = $("cvv-problem");
  let controller = null;
  let challenge = "";
  let key = newKey();

  async function askForCode() {
    const sent = await postFresh(button.dataset.url, { request_key: key }, stateUrl);
    key = newKey();
    challenge = sent.challenge_id;
    follow();
    return { ...sent, kind: "cvv" };
  }

  async function resend() {
    try {
      controller.begin(await askForCode());
    } catch (error) {
      problem(place, explain(error));
    }
  }

  function openFrame(sent) {
    $("cvv-ask").hidden = true;
    $("cvv-reveal").hidden = false;
    controller = mountFrame($("cvv-frame"), {
      mode: "reveal",
      kind: "cvv",
      origin: area.dataset.frameOrigin,
      title: "Secure form: your code for the CVV",
      onConfirm: relay(button.dataset.linkUrl, { stateUrl, extra: () => ({ challenge_id: challenge }), onTrouble }),
      onResend: resend,
    });
    controller.begin(sent);
    controller.focus();
  }

  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    problem(place, "");
    setBusy(button, true);
    try {
      openFrame(await askForCode());
    } catch (error) {
      problem(place, explain(error));
    } finally {
      setBusy(button, false);
    }
  });
}

function cvvShown() {
  if (!$("cvv-done") || !$("cvv-done").hidden) return;
  $("cvv-lead").hidden = true;
  $("cvv-ask").hidden = true;
  $("cvv-reveal").hidden = true;
  $("cvv-done").hidden = false;
  moveTo(4);
  follow();
}

channel?.addEventListener("message", (event) => {
  if (event.data?.payment !== paymentId) return;
  if (event.data.fact === "cvv-shown") cvvShown();
  if (event.data.fact === "retrieved" && $("retrieve-form") && !$("retrieve-form").hidden) {
    $("retrieve-form").hidden = true;
    problem($("retrieve-problem"), "The card is shown in another tab of this browser. A card is shown only once, and only there.");
  }
});

/** Also for what the page has come to show since it was opened: a client's card, a CVV given again. */
const ready = new WeakSet();
function setUp() {
  for (const [id, prepare] of [["retrieve-form", setUpRetrieve], ["cvv-button", setUpCvv]]) {
    const part = $(id);
    if (!part || ready.has(part)) continue;
    ready.add(part);
    prepare(part);
  }
}
document.addEventListener("wv-live", setUp);
setUp();
