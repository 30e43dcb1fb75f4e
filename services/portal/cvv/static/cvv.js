// The page that takes a CVV again (M10): the frame seals it, this script passes the sealed text on and can't read it.
import { csrfToken } from "/static/chassis/ui.js";
import { SealRefused, mountFrame } from "/static/chassis/frame-host.js";
import { onRetry, onSubmit, reloadWhenBack } from "/static/portal/sealed-form.js";

const $ = (id) => document.getElementById(id);
const form = $("cvv-form");
const button = $("cvv-send");
const live = $("live");
const facts = form.dataset;
let frame = null;
let intakeId = "";

function begin(id) {
  intakeId = id;
  frame.begin({ intake_id: id, agent_name: facts.agent, amount_text: facts.amount });
}

function mount(id) {
  $("cvv-trouble").hidden = true;
  $("cvv-frame").hidden = false;
  button.disabled = false;
  frame?.destroy();
  frame = mountFrame($("cvv-frame"), {
    mode: "capture",
    kind: "cvv",
    origin: facts.frameOrigin,
    title: "Secure form: security code",
    onSubmit: () => form.requestSubmit(button),
  });
  begin(id);
}

function trouble(message) {
  if (message) $("cvv-trouble-text").textContent = message;
  $("cvv-trouble").hidden = false;
  $("cvv-frame").hidden = true;
  button.disabled = true;
}

function say(title, text, next = "") {
  $("summary-title").textContent = title;
  $("summary-text").textContent = text;
  $("summary-next").hidden = !next;
  if (next) $("summary-link").href = next;
  $("summary").hidden = false;
  $("summary").focus();
}

async function post(sealed) {
  const response = await fetch(form.action, {
    method: "POST",
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify({ intake_id: intakeId, sealed_cvv: sealed }),
    credentials: "same-origin",
    redirect: "error",
    signal: AbortSignal.timeout(30000),
  });
  return response.json();
}

async function send(mayStartOver) {
  live.textContent = "Encrypting the code…";
  let sealed;
  try {
    sealed = await frame.seal();
  } catch (error) {
    // The frame has shown what is wrong beside its field.
    if (!(error instanceof SealRefused)) say("The secure form did not answer", "Please reload the page. Nothing was sent.");
    return false;
  }
  live.textContent = "Sending it…";
  let answer;
  try {
    answer = await post(sealed);
  } catch {
    say("The connection was lost", "Nothing is lost: press the button again.");
    return false;
  }
  if (!answer.error) {
    window.location.assign(answer.next);
    return true;
  }
  const error = answer.error;
  if (error.code === "CARD_INVALID") {
    frame.fieldError(error.field || "cvv", error.message);
  } else if (error.code === "START_OVER") {
    if (error.fresh_frame) {
      mount(error.intake_id);
      say("Please enter the code once more", "The secure form had to be renewed.");
    } else {
      begin(error.intake_id);
      if (mayStartOver) return send(false);
      say("Please press the button again", error.message);
    }
  } else {
    const kept = error.code === "UNAVAILABLE" ? " Nothing was stored yet. Press the button again in a moment." : "";
    say(error.code === "UNAVAILABLE" ? "We can't take your code right now" : "That did not work", `${error.message}${kept}`, answer.next ?? "");
  }
  return false;
}

onSubmit(form, button, live, () => {
  $("summary").hidden = true;
  return send(true);
});
onRetry($("cvv-retry"), facts.intakeUrl, mount, trouble);
reloadWhenBack();

if (facts.intake) mount(facts.intake);
else trouble("");
