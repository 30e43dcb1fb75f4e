// Lets a page follow what happens: it asks whether there is news of what it shows, quickly at first and then less often,
// and never while nobody looks; live.js brings the parts that changed. Where to ask and what was seen stands in
// `#wv-follow`, which follows itself: a page that has come to its end names nothing any more.
import "/static/chassis/live.js";
import { element } from "/static/chassis/ui.js";

const PAUSES = [2, 2, 2, 3, 3, 5, 5, 8, 8, 13, 13, 20, 30, 60];
const GONE = [403, 404, 410];

const place = document.getElementById("wv-follow");
const main = document.getElementById("main");
const said = element("p", { className: "visually-hidden", role: "status" });

let timer = 0;
let turn = 0;
let over = false;
let asking = false;
let shown = "";
let heading = "";

const words = (node) => node?.textContent.replace(/\s+/g, " ").trim() ?? "";

/** Remembers what stands here, to tell later whether it changed. */
function look() {
  shown = words(main);
  heading = words(main?.querySelector("h1"));
}

function wait() {
  clearTimeout(timer);
  if (over || document.hidden || !place.dataset.news) return;
  // Not all pages at the same moment, after a server was away.
  timer = setTimeout(ask, PAUSES[Math.min(turn++, PAUSES.length - 1)] * (900 + Math.random() * 200));
}

async function ask() {
  if (asking || over || document.hidden || !place.dataset.news) return;
  asking = true;
  const answer = await fetch(place.dataset.news, {
    headers: { "If-None-Match": `"${place.dataset.seen}"`, "X-Wayvault-Passive": "1" },
    cache: "no-store",
  }).catch(() => null);
  asking = false;
  if (GONE.includes(answer?.status)) over = true;
  if (answer?.status === 200) document.dispatchEvent(new Event("wv-news"));
  wait();
}

function askNow() {
  turn = 0;
  clearTimeout(timer);
  ask();
}

document.addEventListener("wv-live", () => {
  if (words(main) === shown) return;
  const before = heading;
  look();
  said.textContent = heading && heading !== before ? heading : "This page was brought up to date.";
  // What happens next may follow soon.
  turn = 0;
  wait();
});
document.addEventListener("wv-signed-out", () => { over = true; });
document.addEventListener("visibilitychange", () => { if (document.hidden) clearTimeout(timer); else askNow(); });
window.addEventListener("pageshow", (event) => { if (event.persisted) askNow(); });

if (place) {
  document.body.append(said);
  look();
  wait();
}
