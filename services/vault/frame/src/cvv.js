// Redeems the mailed one-time link and shows the CVV once. Nothing happens before the click.
import { listen, start, tell } from "./lib/bridge.js";
import { byId, setText, showPanel } from "./lib/dom.js";
import { Redeemer } from "./lib/redeem.js";
import { canSeal } from "./lib/seal.js";

let linkToken = "";

function busy(on) {
  byId("cvv-show").disabled = on || !linkToken;
  byId("cvv-show").classList.toggle("is-working", on);
  byId("cvv-busy").hidden = !on;
}

const redeemer = new Redeemer({
  onAnswer: (content) => {
    linkToken = "";
    setText("cvv-digits", content.cvv);
    byId("cvv-digits").setAttribute("aria-label", `CVV ${[...content.cvv].join(" ")}`);
    showPanel("cvv");
    byId("cvv-panel").focus({ preventScroll: true });
    tell("shown", { kind: "cvv" });
  },
  onRefused: (message) => {
    busy(false);
    linkToken = "";
    byId("cvv-show").hidden = true;
    setText("cvv-problem", message.message ?? "That did not work.");
    byId("cvv-problem").hidden = false;
  },
  onUnreachable: (text) => {
    busy(false);
    setText("cvv-problem", text || "The connection was lost. Nothing was used up.");
    byId("cvv-problem").hidden = false;
    setText("cvv-show-text", "Try again");
    byId("cvv-show").dataset.again = "yes";
  },
});

function show() {
  byId("cvv-problem").hidden = true;
  busy(true);
  if (byId("cvv-show").dataset.again === "yes") { redeemer.again(); return; }
  redeemer.send({ link_token: linkToken }, "wv-cvv-redeem+jwe", "wv-cvv+jwe").catch(() => {
    busy(false);
    setText("cvv-problem", "Your browser could not encrypt the request. Nothing was used up; please reload the page.");
    byId("cvv-problem").hidden = false;
  });
}

function main() {
  if (!canSeal()) { showPanel("unavailable"); start("cvv"); tell("failed"); return; }
  byId("cvv-show").addEventListener("click", show);
  const take = (message) => { void redeemer.take(message); };
  listen({
    begin: (message) => { linkToken = String(message.link_token ?? ""); busy(false); showPanel("ask"); },
    answer: take, refused: take, unreachable: take,
  });
  showPanel("waiting");
  start("cvv");
}

main();
