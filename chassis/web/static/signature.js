// Signing by drawing, typing or with the signature on file. Writes NAME_kind, NAME_image (PNG data URL) and NAME_text; see ui/parts.html.
import SignaturePad from "./vendor/signature_pad.min.js";
import { element } from "./ui.js";

const INK = "#14202b";
const EXPORT_WIDTH = 900;
const PICTURE = "data:image/png;base64,";

class SignatureField {
  #root; #name; #canvas; #pad; #size = { width: 0, height: 0 };
  // What was drawn before the session ended, as a picture; new strokes come on top of it.
  #kept = "";

  constructor(root) {
    this.#root = root;
    this.#name = root.dataset.wvSignature;
    this.#canvas = root.querySelector("canvas");
    this.#pad = new SignaturePad(this.#canvas, { penColor: INK, minWidth: 0.9, maxWidth: 2.6 });
    this.#part("tabs").hidden = false;
    this.#part("clear").addEventListener("click", () => { this.#kept = ""; this.#pad.clear(); this.#write(); this.#canvas.focus(); });
    this.#pad.addEventListener("endStroke", () => { this.#write(); this.#showProblem(""); });
    for (const tab of this.#tabs()) tab.addEventListener("change", () => this.#show(tab.value));
    this.#field("text").addEventListener("input", () => this.#showProblem(""));
    new ResizeObserver(() => this.#fit()).observe(this.#canvas);
    root.closest("form")?.addEventListener("submit", (event) => this.#check(event));
    this.#part("on-file")?.querySelector("input[type=checkbox]").addEventListener("change", () => this.#showProblem(""));
    if (this.#field("image").value.startsWith(PICTURE)) this.#kept = this.#field("image").value;
    // What is on file is offered first; it signs only when its box is ticked. A draft chooses as the person did.
    const chosen = document.getElementById("wv-draft") ? this.#tabs().find((tab) => tab.checked) : null;
    const first = chosen ?? this.#tabs()[0];
    first.checked = true;
    this.#show(first.value);
  }

  #isEmpty() { return this.#pad.isEmpty() && !this.#kept; }

  async #drawKept() {
    try {
      const bytes = Uint8Array.from(atob(this.#kept.slice(PICTURE.length)), (char) => char.charCodeAt(0));
      const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      this.#canvas.getContext("2d").drawImage(picture, 0, 0, this.#size.width, this.#size.height);
    } catch {
      // No picture after all: the person signs anew.
      this.#kept = "";
      this.#field("image").value = "";
    }
  }

  #part(part) { return this.#root.querySelector(`[data-wv-signature-${part}]`); }
  #field(part) { return this.#root.querySelector(`[name="${this.#name}_${part}"]`); }
  #tabs() { return [...this.#root.querySelectorAll(`[name="${this.#name}_tab"]`)]; }

  #show(kind) {
    this.#part("draw").hidden = kind !== "drawn";
    this.#part("type").hidden = kind !== "typed";
    if (this.#part("on-file")) this.#part("on-file").hidden = kind !== "on_file";
    this.#field("kind").value = kind;
    this.#showProblem("");
    if (kind === "drawn") this.#fit();
  }

  /** Keeps the strokes when the canvas changes its size (a phone is turned). */
  async #fit() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    if (!width || (width === this.#size.width && height === this.#size.height)) return;
    const strokes = this.#pad.toData();
    const stretch = this.#size.width ? width / this.#size.width : 1;
    const ratio = Math.max(window.devicePixelRatio || 1, 1);
    this.#canvas.width = width * ratio;
    this.#canvas.height = height * ratio;
    this.#canvas.getContext("2d").scale(ratio, ratio);
    this.#size = { width, height };
    this.#pad.clear();
    if (this.#kept) await this.#drawKept();
    this.#pad.fromData(strokes.map((stroke) => ({ ...stroke, points: stroke.points.map((point) => ({ ...point, x: point.x * stretch })) })), { clear: false });
  }

  /** The picture on white, at one width on every screen, so that it prints alike. */
  #write() {
    this.#field("image").value = "";
    if (this.#isEmpty()) return;
    const copy = document.createElement("canvas");
    copy.width = EXPORT_WIDTH;
    copy.height = Math.round((EXPORT_WIDTH * this.#canvas.height) / this.#canvas.width);
    const context = copy.getContext("2d");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, copy.width, copy.height);
    context.drawImage(this.#canvas, 0, 0, copy.width, copy.height);
    this.#field("image").value = copy.toDataURL("image/png");
  }

  #check(event) {
    const [missing, problem] = {
      drawn: () => [this.#isEmpty(), "Please sign in the box, or choose Type."],
      typed: () => [!this.#field("text").value.trim(), "Please type your full name as your signature."],
      on_file: () => [!this.#field("reuse").checked, "Tick the box to sign with your signature on file, or draw or type a new one."],
    }[this.#field("kind").value]();
    if (!missing) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.#showProblem(problem);
    this.#target().focus();
  }

  /** What the present way of signing is done with. */
  #target() {
    return { drawn: this.#canvas, typed: this.#field("text"), on_file: this.#field("reuse") }[this.#field("kind").value];
  }

  #showProblem(text) {
    this.#root.querySelector(".wv-field-error")?.remove();
    this.#root.classList.toggle("is-invalid", Boolean(text));
    const target = this.#target();
    target.removeAttribute("aria-describedby");
    if (!text) return;
    const id = `${this.#name}-error`;
    this.#root.querySelector("legend").after(element("p", { className: "wv-field-error", id, textContent: text, role: "alert" }));
    target.setAttribute("aria-describedby", id);
  }
}

for (const root of document.querySelectorAll("[data-wv-signature]")) new SignatureField(root);
