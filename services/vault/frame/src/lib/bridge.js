// The frame's only way out: postMessage with the one page that embeds it.

const meta = (name) => document.querySelector(`meta[name=${name}]`)?.content ?? "";
const parentOrigin = meta("wv-parent");

/** @param {string} type @param {object} [fields] */
export function tell(type, fields = {}) {
  if (window.parent !== window && parentOrigin) window.parent.postMessage({ wv: 1, type, ...fields }, parentOrigin);
}

/** Calls the handler named by each message's type. @param {Record<string, (message: any) => void>} handlers */
export function listen(handlers) {
  window.addEventListener("message", (event) => {
    if (event.origin !== parentOrigin || event.source !== window.parent || event.data?.wv !== 1) return;
    if (Object.hasOwn(handlers, event.data.type)) handlers[event.data.type](event.data);
  });
}

/** White or ink, whichever reads better on the colour (WCAG 2.2 relative luminance). @param {string} hex */
function readableOn(hex) {
  const [red, green, blue] = [0, 2, 4].map((start) => {
    const channel = parseInt(hex.slice(start, start + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#111519" : "#ffffff";
}

/** Takes on the embedding page's accent and scheme. Values are checked: they come from the address. */
function applyTheme() {
  const query = new URLSearchParams(location.search);
  const accent = query.get("accent") ?? "";
  if (/^[0-9a-f]{6}$/i.test(accent)) {
    document.documentElement.style.setProperty("--wv-accent", `#${accent}`);
    document.documentElement.style.setProperty("--wv-on-accent", readableOn(accent));
  }
  const scheme = query.get("scheme");
  if (scheme === "light" || scheme === "dark") document.documentElement.dataset.theme = scheme;
}

// In CSS pixels. Outside of these a size is a slip, or an attempt to hide what is written.
const SMALLEST_TEXT = 9;
const LARGEST_TEXT = 64;

/** Writes as large as the page around it does. @param {{px: number}} message */
function takeTextSize({ px }) {
  if (Number.isFinite(px) && px >= SMALLEST_TEXT && px <= LARGEST_TEXT) document.documentElement.style.fontSize = `${px}px`;
}

/** @param {string} mode */
export function start(mode) {
  applyTheme();
  listen({ "text-size": takeTextSize });
  const root = document.getElementById("frame");
  new ResizeObserver(() => tell("resize", { height: Math.ceil(root.getBoundingClientRect().height) })).observe(root);
  tell("ready", { mode });
}

export const newRequestId = () => crypto.randomUUID();
export const query = (name) => new URLSearchParams(location.search).get(name) ?? "";
