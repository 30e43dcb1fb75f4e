// The page's side of the form for a gateway's keys: it shows the frame and passes on what the frame sealed.
import { mountFrame, relayTo } from "/static/chassis/frame-host.js";

// The gateway is called twice within it (services/vault/charging/key_entries.py).
const PATIENCE_MS = 45_000;
const entry = document.getElementById("keys-entry");

const controller = mountFrame(document.getElementById("keys-frame"), {
  mode: "gateway",
  kind: entry.dataset.gateway,
  origin: entry.dataset.frameOrigin,
  title: "Secure form: keys of the payment gateway",
  onConfirm: relayTo(entry.dataset.url, {}, { timeout: PATIENCE_MS }),
  onShown: () => { document.getElementById("keys-back").classList.replace("btn-outline-secondary", "btn-primary"); },
});
controller.begin({ entry_id: entry.dataset.entry, present: entry.dataset.present });
