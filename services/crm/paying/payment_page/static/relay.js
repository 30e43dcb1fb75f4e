// Passes the secure frame's sealed requests to the CRM. What the vault refused goes to the frame as a refusal; what
// failed on the way (network, session, our own fault) leaves the frame its request, so that nothing is burned.
import { Refused, Unreachable, postJson } from "/static/chassis/ui.js";

const ON_THE_WAY = new Set(["", "INTERNAL", "FORM_EXPIRED", "UNAUTHORIZED", "UNAUTHENTICATED", "INTERNAL_SERVER_ERROR", "BAD_GATEWAY", "SERVICE_UNAVAILABLE", "GATEWAY_TIMEOUT"]);

/** Takes a fresh form token: the old one ends with the session it was made in. @param {string} stateUrl */
export async function renewToken(stateUrl) {
  const answer = await fetch(stateUrl, { headers: { Accept: "application/json", "X-Wayvault-Passive": "1" }, redirect: "error" }).catch(() => null);
  if (!answer?.ok) return false;
  document.querySelector('meta[name="csrf-token"]').content = (await answer.json()).csrf_token;
  return true;
}

/** POSTs like postJson, once more with a fresh token when the page was open over a sign-in. */
export async function postFresh(url, body, stateUrl) {
  try {
    return await postJson(url, body);
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "FORM_EXPIRED" || !stateUrl || !(await renewToken(stateUrl))) throw error;
    return postJson(url, body);
  }
}

/** An onConfirm of frame-host.js. `onAnswer` sees what came back after the frame got it. */
export function relay(url, { stateUrl = "", extra = () => ({}), onAnswer = () => {}, onTrouble = () => {} } = {}) {
  return async (jwe, requestId, controller) => {
    let answer;
    try {
      answer = await postFresh(url, { ...extra(), jwe }, stateUrl);
    } catch (error) {
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
      if (error instanceof Refused && !ON_THE_WAY.has(error.code)) {
        controller.refused(requestId, error);
      } else {
        controller.unreachable(requestId);
        onTrouble(error);
      }
      return;
    }
    controller.answer(requestId, answer);
    onAnswer(answer);
  };
}
