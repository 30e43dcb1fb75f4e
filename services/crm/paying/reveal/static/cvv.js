// The page of the mailed CVV link (M6): takes the token out of the address at once and hands it to the secure frame,
// where a click redeems it. Opening the page uses nothing up.
import { mountFrame } from "/static/chassis/frame-host.js";
import { isLinkToken, linkToken } from "/static/chassis/link-token.js";
import { Refused, guardLeaving, toast } from "/static/chassis/ui.js";
import { relay } from "/static/payment_page/relay.js";

const $ = (id) => document.getElementById(id);
const page = $("cvv-page");
const token = linkToken();
history.replaceState(null, "", location.pathname);

function shown(answer) {
  const said = $("cvv-said");
  said.hidden = false;
  if (!answer.payment) return;
  const link = document.createElement("a");
  link.href = answer.payment.url;
  link.textContent = "Back to the payment";
  link.target = "_blank";
  link.rel = "noopener";
  said.replaceChildren(`${answer.payment.what}. The CVV is destroyed in the vault; when you leave this page it is gone. `, link);
  if ("BroadcastChannel" in window) new BroadcastChannel("wv-payments").postMessage({ payment: answer.payment.id, fact: "cvv-shown" });
}

function onTrouble(error) {
  if (error instanceof Refused && error.code.startsWith("UNAUTH")) toast("You have been signed out. Sign in again in another tab, then press “Try again” here; nothing was used up.", "wait");
}

if (!isLinkToken(token)) {
  $("cvv-none").hidden = false;
} else {
  $("cvv-frame-box").hidden = false;
  const controller = mountFrame($("cvv-frame"), {
    mode: "cvv",
    origin: page.dataset.frameOrigin,
    title: "Secure form: the CVV",
    onConfirm: relay(page.dataset.url, { stateUrl: page.dataset.stateUrl ?? "", onAnswer: shown, onTrouble }),
    onShown: () => { guardLeaving(); },
  });
  controller.begin({ link_token: token });
}
