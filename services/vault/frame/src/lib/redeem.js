// Sends one sealed request through the page and waits for its one answer.
// The request and its key are kept until an answer came, so that a lost connection burns nothing:
// "Try again" sends the very same request, and the vault gives the very same answer.
import { newRequestId, tell } from "./bridge.js";
import { newReplyKey, openAnswer, seal } from "./seal.js";

const ANSWER_TIMEOUT_MS = 20_000;

export class Redeemer {
  #pending = null;
  #keys = null;
  #timer = 0;

  /**
   * @param {{onAnswer: (content: any) => void, onRefused: (message: any) => void, onUnreachable: (text?: string) => void}} on
   * @param {number} [patience] in milliseconds
   */
  constructor(on, patience = ANSWER_TIMEOUT_MS) { this.on = on; this.patience = patience; }

  /** @param {object} payload @param {string} typ @param {string | null} answerTyp null: no card comes back */
  async send(payload, typ, answerTyp) {
    if (answerTyp) {
      this.#keys ??= await newReplyKey();
      payload = { ...payload, reply_key: this.#keys.publicJwk };
    }
    this.#pending = { request_id: newRequestId(), jwe: await seal(payload, typ), answerTyp };
    this.again();
  }

  /** Sends the kept request (once more). */
  again() {
    if (!this.#pending) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.on.onUnreachable(), this.patience);
    tell("confirm", { request_id: this.#pending.request_id, jwe: this.#pending.jwe });
  }

  /** @param {any} message answer, refused or unreachable, from the page */
  async take(message) {
    if (!this.#pending || message.request_id !== this.#pending.request_id) return;
    clearTimeout(this.#timer);
    if (message.type === "unreachable") { this.on.onUnreachable(); return; }
    if (message.type === "refused") {
      // These two refuse the moment, not the request: it may be sent again as it is.
      if (message.code === "UNAVAILABLE" || message.code === "BUSY" || message.code === "DEADLINE_TOO_SHORT") { this.on.onUnreachable(message.message); return; }
      this.#pending = null;
      this.on.onRefused(message);
      return;
    }
    const { answerTyp } = this.#pending;
    if (!answerTyp) { this.#pending = null; this.on.onAnswer(message); return; }
    let content;
    try {
      content = await openAnswer(String(message.jwe), this.#keys.privateKey, answerTyp);
    } catch {
      this.on.onUnreachable("The answer did not arrive whole. Nothing is lost: try again within two minutes.");
      return;
    }
    this.#pending = null;
    this.#keys = null;
    this.on.onAnswer(content);
  }
}
