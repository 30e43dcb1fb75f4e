// The panel of a payment by phone: PIN, one dot for each key as it is pressed, what is left to do. It never knows a digit.
import { Refused, Unreachable, postJson, setBusy } from "/static/chassis/ui.js";

const $ = (id) => document.getElementById(id);
const panel = $("phone-panel");
const payment = panel.dataset.payment;
const order = JSON.parse(panel.dataset.fields);
let call = "";
let source = null;
let ended = false;
let storing = false;
let last = null;
// Whether what is said is of the line to the session: only that goes away by itself when the line is back.
let cut = false;

const at = (path) => `/phone/${call}/${path}`;

function say(text, id = "phone-says") {
  const place = $(id), words = place.querySelector("p");
  // The same words anew would be read out anew.
  if (words.textContent !== text) words.textContent = text;
  place.hidden = !text;
}

function sayCut(text) {
  cut = Boolean(text);
  say(text);
}

function explain(error) {
  if (error instanceof Unreachable) return "The connection was lost. Please try again.";
  if (error instanceof Refused && error.message) return error.message;
  return "That did not work. Please try again.";
}

async function act(button, work) {
  setBusy(button, true);
  if (!cut) say("");
  try {
    return await work();
  } catch (error) {
    cut = false;
    say(explain(error));
    if (error instanceof Refused && error.field) document.querySelector(`[name="${error.field}"]`)?.focus();
    return null;
  } finally {
    setBusy(button, false);
    if (last && !ended) draw(last);
  }
}

function show(step) {
  for (const part of document.querySelectorAll("[data-step]")) part.hidden = part.dataset.step !== step;
  $("phone-send").hidden = step === "over-stored";
}

function dots(count) {
  return "•".repeat(count).replace(/(.{4})(?=.)/g, "$1 ");
}

function draw(progress) {
  last = progress;
  say(progress.silent, "phone-silent");
  if (progress.state === "waiting") {
    $("phone-pin-left").textContent = `${progress.seconds} seconds left`;
    return;
  }
  if (progress.state === "ended") {
    over(progress);
    return;
  }
  show("fields");
  for (const name of order) {
    const shown = progress.fields[name];
    const row = document.querySelector(`[data-field="${name}"]`);
    const open = progress.open === name;
    row.classList.toggle("is-open", open);
    row.classList.toggle("is-taken", shown.taken);
    row.querySelector("[data-dots]").textContent = dots(shown.digits) || (open ? "waiting for the first key" : "");
    row.querySelector("[data-count]").textContent = shown.digits ? `${shown.digits} ${shown.digits === 1 ? "digit" : "digits"}` : "";
    const state = row.querySelector("[data-state]");
    state.textContent = shown.taken ? "✓ Valid" : open ? `${progress.seconds} s left` : shown.refusal;
    state.dataset.kind = shown.taken ? "done" : shown.refusal && !open ? "alert" : "";
    if (name === "number") row.querySelector("[data-brand]").textContent = progress.brand;
    const button = row.querySelector("[data-capture]");
    button.hidden = open;
    button.textContent = shown.asked ? "Ask again" : "Capture";
    button.ariaLabel = `${button.textContent}: ${row.querySelector("strong").textContent}`;
    row.querySelector("[data-back]").hidden = !open;
  }
  $("phone-finish").disabled = !order.every((name) => progress.fields[name].taken) || progress.state !== "tied";
}

function over(progress) {
  ended = true;
  source?.close();
  say("", "phone-silent");
  if (progress.result === "stored") {
    // The card is stored, but who was to say so is gone: asked again, the answer is the same.
    if (!storing) $("phone-finish").click();
    return;
  }
  show("over");
  $("phone-over-words").textContent = `${progress.result_words}. Nothing was stored, and every digit is gone.`;
}

function watch() {
  source = new EventSource(at("stream"));
  source.addEventListener("progress", (event) => {
    if (cut) sayCut("");
    draw(JSON.parse(event.data));
  });
  source.addEventListener("over", () => { source.close(); });
  source.addEventListener("away", (event) => { sayCut(JSON.parse(event.data).words); });
  source.addEventListener("stored", (event) => {
    ended = true;
    source.close();
    window.location.assign(JSON.parse(event.data).url);
  });
  source.addEventListener("lost", (event) => {
    ended = true;
    source.close();
    say("");
    say("", "phone-silent");
    show("over");
    $("phone-over-words").textContent = JSON.parse(event.data).words;
  });
  source.addEventListener("error", () => {
    // After "away" the stream ends too, and the words that are there say more.
    if (!ended && !cut) sayCut("The page lost its connection and tries again by itself.");
  });
}

$("phone-start")?.addEventListener("click", (event) => act(event.currentTarget, async () => {
  const answer = await postJson(`/payments/${payment}/phone/start`, { agreed: $("phone-agreed").checked });
  call = answer.call;
  ended = false;
  $("phone-call").value = call;
  $("phone-pin").textContent = `* ${answer.pin.slice(0, 3)} ${answer.pin.slice(3)} #`;
  show("pin");
  watch();
}));

for (const row of document.querySelectorAll("[data-field]")) {
  row.querySelector("[data-capture]").addEventListener("click", (event) => act(event.currentTarget, async () => {
    draw(await postJson(at("field"), { field: row.dataset.field }));
  }));
  row.querySelector("[data-back]").addEventListener("click", (event) => act(event.currentTarget, async () => {
    draw(await postJson(at("back"), {}));
  }));
}

$("phone-finish")?.addEventListener("click", (event) => act(event.currentTarget, async () => {
  const body = {};
  storing = true;
  for (const input of document.querySelectorAll("#phone-holder input, #phone-holder select")) body[input.name] = input.value;
  const answer = await postJson(at("finish"), body, { timeout: 20000 });
  ended = true;
  source?.close();
  window.location.assign(answer.url);
}).then(() => { storing = false; if (last && !ended) draw(last); }));

for (const button of document.querySelectorAll("[data-cancel]")) {
  button.addEventListener("click", () => act(button, async () => {
    await postJson(at("cancel"), {});
  }));
}

$("phone-again")?.addEventListener("click", () => { window.location.reload(); });
if (panel.dataset.ready === "yes") show("script");
