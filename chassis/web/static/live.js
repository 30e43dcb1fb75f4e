// Parts of a page that follow what happens: on the document's event `wv-news` the page is asked for anew and every
// element with `data-wv-live` and an id becomes what it is there. The page is never unloaded: what is being typed, ticked
// or read stays, and a part that holds a frame (a card is shown once), an open dialog or a working button is left alone;
// live parts inside of it follow all the same. `data-wv-still` is a script's own and never changed; what was said about
// the last step (`data-wv-said`) stays where app.js has put it.

const GAP_MS = 1000;
const BUSY = "iframe, dialog[open], [aria-busy=true]";
const page = () => location.href.split("#")[0];

let wanted = false;
let working = false;

function isChanged(field) {
  if (field.matches("[type=hidden]")) return false;
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
  if (field.matches("select")) return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return field.value !== field.defaultValue;
}
const FIELDS = "input, textarea, select";
const isKept = (node) => node.matches(FIELDS) && (node === document.activeElement || isChanged(node));
const holdsKept = (node) => node.matches(BUSY) || node.querySelector(BUSY) || isKept(node) || [...node.querySelectorAll(FIELDS)].some(isKept);

const callbacks = {
  beforeNodeMorphed: (old) => !(old instanceof Element && (old.matches("[data-wv-still], [data-wv-said]") || isKept(old))),
  beforeNodeRemoved: (old) => !(old instanceof Element && (old.matches("[data-wv-said]") || holdsKept(old))),
  // What a person has unfolded stays so.
  beforeAttributeUpdated: (name, node) => !(name === "open" && node.matches("details")),
};

/** The page as it is now, or null: signed out, or the connection is lost. The next news tries again. A page that says
 * that what was shown is over (410) is one too, wherever it stands. */
async function present() {
  const answer = await fetch(page(), { headers: { "X-Wayvault-Passive": "1", Accept: "text/html" } }).catch(() => null);
  if (answer?.status !== 410 && (!answer?.ok || answer.redirected)) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** Scripts that the page has come to need. */
async function loadScripts(next) {
  const here = new Set([...document.querySelectorAll("script[src]")].map((script) => script.src));
  const lacking = [...next.querySelectorAll("head script[type=module][src]")]
    .map((script) => new URL(script.getAttribute("src"), location.href).href)
    .filter((address) => !here.has(address));
  if (!lacking.length) return;
  await Promise.all(lacking.map((src) => new Promise((resolve) => {
    const script = Object.assign(document.createElement("script"), { type: "module", src, onload: resolve, onerror: resolve });
    document.head.append(script);
  })));
}

async function refresh() {
  const [next, { Idiomorph }] = await Promise.all([present(), import("./vendor/idiomorph.esm.js")]);
  if (!next) return;
  const done = [];
  for (const part of document.querySelectorAll("[data-wv-live]")) {
    const made = next.getElementById(part.id);
    if (!made || part.querySelector(BUSY) || done.some((outer) => outer.contains(part))) continue;
    Idiomorph.morph(part, made, { callbacks });
    done.push(part);
  }
  if (!done.length) return;
  if (next.title) document.title = next.title;
  // Until they are there, what is pressed is kept (early.js).
  document.dispatchEvent(new Event("wv-scripts-wanted"));
  await loadScripts(next);
  document.dispatchEvent(new Event("wv-live"));
  document.dispatchEvent(new Event("wv-scripts-there"));
}

async function follow() {
  wanted = true;
  if (working || document.hidden || !document.querySelector("[data-wv-live]")) return;
  working = true;
  try {
    while (wanted && !document.hidden) {
      wanted = false;
      await refresh();
      await new Promise((resolve) => setTimeout(resolve, GAP_MS));
    }
  } finally {
    working = false;
  }
}

document.addEventListener("wv-news", follow);
// What was left alone while a dialog was open, and what happened while nobody looked.
document.addEventListener("close", () => { if (document.querySelector("[data-wv-live]")) follow(); }, { capture: true });
document.addEventListener("visibilitychange", () => { if (wanted) follow(); });
