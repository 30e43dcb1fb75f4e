// The page's side of the secure frame: it shows the frame and passes sealed messages, which it can't read.
// The protocol stands in docs; services/vault/frame/src has the other side.
import { Refused, Unreachable, element, postJson } from "./ui.js";

const READY_TIMEOUT_MS = 15000;
const SEAL_TIMEOUT_MS = 15000;
const MAX_HEIGHT = 4000;

/** What the frame found wrong; it has shown it and focused the first field. */
export class SealRefused extends Error {
  /** @param {{name: string, message: string}[]} fields */
  constructor(fields) {
    super(fields[0]?.message ?? "Please check the card details.");
    /** What is wrong with each field, in words. @type {string[]} */
    this.messages = fields.length ? fields.map((field) => String(field.message)) : [this.message];
  }
}

/**
 * Puts the secure frame into `place`.
 * @param {HTMLElement} place
 * @param {object} options
 * @param {"capture"|"reveal"|"cvv"|"gateway"} options.mode
 * @param {string} options.origin the frame host's origin
 * @param {boolean} [options.asksForCode] whether the card form asks for the security code; true by default
 * @param {"card"|"cvv"|"approve"|"stripe"|"authorizenet"} [options.kind] approve: an approver's code for a second reveal; a gateway: whose keys
 * @param {string} [options.parentOrigin] this page's origin
 * @param {string} [options.accent] "RRGGBB"; the page's own accent by default
 * @param {"light"|"dark"|"auto"} [options.scheme]
 * @param {string} [options.title] what a screen reader calls the frame
 * @param {() => void} [options.onReady]
 * @param {(state: {complete: boolean, brand: string}) => void} [options.onState]
 * @param {(jwe: string, requestId: string, controller: FrameController) => void} [options.onConfirm]
 * @param {() => void} [options.onResend]
 * @param {(kind: string) => void} [options.onShown]
 * @param {() => void} [options.onSubmit] Enter was pressed in the frame
 * @param {() => void} [options.onFailed] the frame can't work or did not load
 * @returns {FrameController}
 */
export function mountFrame(place, options) {
  return new FrameController(place, options);
}

/**
 * An onConfirm that relays to a view of this service: POST {jwe, ...extra}; the view answers {jwe} or
 * {accepted: true, address_hint}, or an error of chassis.web.errors.
 * @param {string} url @param {object} [extra] @param {{timeout?: number}} [how] the patience with it, in milliseconds
 */
export function relayTo(url, extra = {}, how = {}) {
  return async (jwe, requestId, controller) => {
    try {
      controller.answer(requestId, await postJson(url, { ...extra, jwe }, how));
    } catch (error) {
      if (error instanceof Refused && error.code !== "INTERNAL") controller.refused(requestId, error);
      else if (error instanceof Refused || error instanceof Unreachable) controller.unreachable(requestId);
      else throw error;
    }
  };
}

export class FrameController {
  #place; #options; #origin; #iframe; #timer; #textSize;
  #ready = false;
  #begin = null;
  #seals = new Map();

  constructor(place, options) {
    this.#place = place;
    this.#options = options;
    this.#origin = new URL(options.origin).origin;
    this.#iframe = this.#makeIframe();
    window.addEventListener("message", this.#take);
    this.#timer = setTimeout(() => this.#fail(), READY_TIMEOUT_MS);
    place.append(this.#iframe);
    this.#textSize = this.#watchTextSize();
  }

  /** Tells the frame what it is for; kept until the frame is ready. @param {object} data */
  begin(data) {
    this.#begin = data;
    if (this.#ready) this.#send("begin", data);
  }

  /** Asks for the sealed card. Rejects with SealRefused when a field is wrong. @returns {Promise<string>} */
  seal() {
    const requestId = crypto.randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(requestId, (seal) => seal.reject(new Error("The secure form did not answer."))), SEAL_TIMEOUT_MS);
      this.#seals.set(requestId, { resolve, reject, timer });
      this.#send("seal", { request_id: requestId });
    });
  }

  /** Hands the sealed answer over, or that a CVV code was accepted. @param {{jwe?: string, accepted?: boolean, address_hint?: string}} answer */
  answer(requestId, { jwe, accepted, address_hint } = {}) {
    this.#send("answer", jwe === undefined ? { request_id: requestId, accepted, address_hint } : { request_id: requestId, jwe });
  }

  /** @param {{code?: string, message?: string, field?: string, attemptsLeft?: number, attempts_left?: number}} why */
  refused(requestId, why) {
    this.#send("refused", { request_id: requestId, code: why.code ?? "", message: why.message ?? "", field: why.field ?? "", attempts_left: why.attemptsLeft ?? why.attempts_left ?? 0 });
  }

  /** The network failed: the frame keeps its request and offers to send the same one again. */
  unreachable(requestId) {
    this.#send("unreachable", { request_id: requestId });
  }

  /** The vault refused a field (CARD_INVALID). @param {string} field @param {string} message */
  fieldError(field, message) {
    this.#send("field-error", { field, message });
  }

  focus() { this.#iframe.focus(); }

  /** Takes the frame, and with it all that it shows, out of the page. */
  destroy() {
    clearTimeout(this.#timer);
    window.removeEventListener("message", this.#take);
    this.#textSize.remove();
    for (const id of [...this.#seals.keys()]) this.#settle(id, (seal) => seal.reject(new Error("The secure form was closed.")));
    this.#iframe.remove();
    this.#place.classList.remove("is-ready");
  }

  #makeIframe() {
    const { mode, kind = "card", asksForCode = true, parentOrigin = window.location.origin, accent = pageAccent(), scheme = pageScheme(), title = "Secure card form" } = this.#options;
    const address = new URL(`/${mode}`, this.#origin);
    address.search = new URLSearchParams({ accent: accent.replace("#", ""), scheme, kind, parent: parentOrigin, ...(asksForCode ? {} : { cvv: "none" }) }).toString();
    const iframe = element("iframe", { title, src: address.href, referrerPolicy: "no-referrer", loading: "eager", allow: "" });
    // Scripts and an origin of its own to seal with, forms for Enter; no popups, no top navigation, no downloads.
    iframe.sandbox.add("allow-scripts", "allow-same-origin", "allow-forms");
    return iframe;
  }

  /** An element as wide as the page's text is large: the frame follows whenever that changes. */
  #watchTextSize() {
    const measure = element("span", { ariaHidden: "true", className: "wv-text-size" });
    this.#place.append(measure);
    new ResizeObserver(() => this.#tellTextSize()).observe(measure);
    return measure;
  }

  #tellTextSize() {
    if (this.#ready) this.#send("text-size", { px: parseFloat(getComputedStyle(document.documentElement).fontSize) });
  }

  #send(type, fields) {
    this.#iframe.contentWindow?.postMessage({ wv: 1, type, ...fields }, this.#origin);
  }

  #settle(requestId, how) {
    const seal = this.#seals.get(requestId);
    if (!seal) return;
    clearTimeout(seal.timer);
    this.#seals.delete(requestId);
    how(seal);
  }

  #take = (event) => {
    const message = event.data;
    if (event.origin !== this.#origin || event.source !== this.#iframe.contentWindow || message?.wv !== 1) return;
    const on = this.#options;
    switch (message.type) {
      case "ready": this.#becomeReady(); break;
      case "resize": this.#resize(message.height); break;
      case "state": on.onState?.({ complete: message.complete === true, brand: String(message.brand ?? "") }); break;
      case "sealed": this.#settle(message.request_id, (seal) => seal.resolve(String(message.jwe))); break;
      case "invalid": this.#settle(message.request_id, (seal) => seal.reject(new SealRefused(message.fields ?? []))); break;
      case "confirm": on.onConfirm?.(String(message.jwe), String(message.request_id), this); break;
      case "resend": on.onResend?.(); break;
      case "shown": on.onShown?.(String(message.kind ?? "")); break;
      case "submit": on.onSubmit?.(); break;
      case "failed": this.#becomeReady(); on.onFailed?.(); break;
      default: break;
    }
  };

  #becomeReady() {
    clearTimeout(this.#timer);
    this.#ready = true;
    this.#place.classList.add("is-ready");
    this.#tellTextSize();
    if (this.#begin) this.#send("begin", this.#begin);
    this.#options.onReady?.();
  }

  #resize(height) {
    const pixels = Math.min(MAX_HEIGHT, Math.max(40, Math.ceil(Number(height) || 0)));
    this.#iframe.style.height = `${pixels}px`;
  }

  #fail() {
    if (this.#ready) return;
    this.#place.replaceChildren(element("div", { className: "wv-notice wv-tone-wait", role: "alert" },
      element("div", {}, element("strong", { textContent: "The secure form did not load." }),
        element("p", { textContent: "Nothing was used up. Please check your connection and reload the page." }))));
    this.#options.onFailed?.();
  }
}

/** The accent as the page shows it now, which chassis.web.colour made readable in its scheme. */
function pageAccent() {
  const value = getComputedStyle(document.documentElement).getPropertyValue("--wv-accent").trim();
  return /^#[0-9a-f]{6}$/i.test(value) ? value.slice(1) : "";
}

function pageScheme() {
  const theme = document.documentElement.dataset.theme;
  return theme === "light" || theme === "dark" ? theme : "auto";
}
