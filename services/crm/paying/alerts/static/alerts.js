// Keeps the red alert of every open page fresh (M3), and tells pages that there is news, so that they follow what happens
// (live.js). One tab per browser holds the stream (Web Locks) and tells the others (BroadcastChannel); where the stream
// can't be had, that tab asks every three seconds instead.
import "/static/chassis/live.js";

const POLL_MS = 3000;
const TRY_STREAM_AGAIN_MS = 30000;
const PASSIVE = { "X-Wayvault-Passive": "1", Accept: "application/json" };

const slot = document.getElementById("wv-alert-slot");
const channel = "BroadcastChannel" in window ? new BroadcastChannel("wv-alert") : null;
let shown = null;
// What this page shows already.
let heard = slot?.dataset.news;

/** Shows a count; the words and looks come from the server, so that they stand in one place. */
async function show(count) {
  if (count === shown || !slot) return;
  shown = count;
  const answer = await fetch("/alerts/pending", { headers: { "X-Wayvault-Passive": "1" } }).catch(() => null);
  if (!answer?.ok || count !== shown) {
    if (count === shown) shown = null;
    return;
  }
  slot.innerHTML = await answer.text();
  document.dispatchEvent(new CustomEvent("wv-pending", { detail: { count } }));
}

function hear(news) {
  if (news === heard) return;
  heard = news;
  document.dispatchEvent(new Event("wv-news"));
}

function take({ count, news }) {
  if (count !== undefined) show(count);
  if (news !== undefined) hear(news);
}

function announce(sign) {
  channel?.postMessage(sign);
  take(sign);
}

/** Holds a stream until the server closes it for good. Resolves "refused" when this session may not have one. */
function stream() {
  return new Promise((resolve) => {
    const source = new EventSource("/alerts/stream");
    source.addEventListener("count", (event) => announce({ count: Number(event.data) }));
    source.addEventListener("news", (event) => announce({ news: event.data }));
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) resolve();
    };
  });
}

/** Asks for both until `until`; says whether this browser is still signed in. */
async function poll(until) {
  while (Date.now() < until) {
    const answer = await fetch("/alerts/count", { headers: PASSIVE }).catch(() => null);
    if (answer?.status === 401) return false;
    if (answer?.ok) announce(await answer.json());
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

async function lead() {
  do await stream();
  while (await poll(Date.now() + TRY_STREAM_AGAIN_MS));
}

if (slot) {
  slot.setAttribute("aria-live", "polite");
  channel?.addEventListener("message", (event) => take(event.data));
  if (navigator.locks) navigator.locks.request("wv-alert", lead);
  else lead();
}
