// An admin approves a second reveal (M9): their code goes into the secure frame; the card never comes here.
import { mountFrame } from "/static/chassis/frame-host.js";
import { Refused, Unreachable, setBusy, toast } from "/static/chassis/ui.js";
import { postFresh, relay } from "/static/payment_page/relay.js";

const $ = (id) => document.getElementById(id);
const box = $("approve");
const stateUrl = box.dataset.stateUrl;
const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const SIGNED_OUT = "You have been signed out. Sign in again in another tab, then press “Try again” here; nothing was used up.";
let controller = null;
let key = newKey();

function problem(text) {
  $("approve-problem").textContent = text;
  $("approve-problem").hidden = !text;
}

function explain(error) {
  if (error instanceof Unreachable) return "The connection was lost. Nothing was used up; please try again.";
  if (error instanceof Refused && error.message) return error.message;
  return "That did not work. Nothing was used up; please try again.";
}

function onTrouble(error) {
  if (error instanceof Refused && error.code.startsWith("UNAUTH")) toast(SIGNED_OUT, "wait");
}

async function askForCode() {
  const sent = await postFresh(box.dataset.codeUrl, { request_key: key }, stateUrl);
  key = newKey();
  return { ...sent, kind: "approve" };
}

async function resend() {
  try {
    controller.begin(await askForCode());
  } catch (error) {
    problem(explain(error));
  }
}

function approved() {
  $("approve-done").hidden = false;
  $("refuse-panel")?.remove();
}

function openFrame(sent) {
  $("approve-ask").hidden = true;
  $("approve-reveal").hidden = false;
  controller = mountFrame($("approve-frame"), {
    mode: "reveal",
    kind: "approve",
    origin: box.dataset.frameOrigin,
    title: "Secure form: your code to approve",
    onConfirm: relay(box.dataset.approveUrl, { stateUrl, onTrouble }),
    onResend: resend,
    onShown: approved,
  });
  controller.begin(sent);
  controller.focus();
}

$("approve-button").addEventListener("click", async () => {
  const button = $("approve-button");
  if (button.getAttribute("aria-busy") === "true") return;
  problem("");
  setBusy(button, true);
  try {
    openFrame(await askForCode());
  } catch (error) {
    problem(explain(error));
  } finally {
    setBusy(button, false);
  }
});
