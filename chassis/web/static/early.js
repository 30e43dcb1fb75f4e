// What is pressed, ticked or typed before the page's scripts listen. A button may be seen a moment before them, on a slow
// line for seconds: what it was pressed for is kept and done as soon as they are there. Only what scripts alone can do is
// kept; links and forms that work without them go their way at once. Loaded before anything is drawn, so it is no module.
(() => {
  const SCRIPTS_ALONE = "button[type=button], [data-wv-dialog], [data-wv-tick-all], tr[data-wv-href]";
  const STOPS = `a, input, label, select, summary, textarea, button, ${SCRIPTS_ALONE}`;
  let kept = null;
  let touched = new Set();

  /** One thing is done afterwards: the last that was asked for. @param {() => void} act */
  function keep(event, part, act) {
    event.preventDefault();
    event.stopImmediatePropagation();
    kept?.part.removeAttribute("aria-busy");
    part.setAttribute("aria-busy", "true");
    kept = { part, act };
  }

  function onClick(event) {
    const part = event.target.closest?.(STOPS);
    if (!part?.matches(SCRIPTS_ALONE)) return;
    const { target } = event;
    const again = new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey: event.ctrlKey, metaKey: event.metaKey });
    keep(event, part, () => (target.isConnected ? target : part).dispatchEvent(again));
  }

  // A form whose script puts in what only it knows, as the token after "#" in the address.
  function onSubmit(event) {
    const form = event.target;
    const button = event.submitter;
    if (form.matches("[data-wv-scripted]")) keep(event, button ?? form, () => form.requestSubmit(button));
  }

  const onChange = (event) => { touched.add(event.target); };
  const HEARD = [["click", onClick], ["submit", onSubmit], ["input", onChange], ["change", onChange]];

  function listen() {
    for (const [type, heard] of HEARD) window.addEventListener(type, heard, { capture: true });
  }

  function done() {
    for (const [type, heard] of HEARD) window.removeEventListener(type, heard, { capture: true });
    const [fields, last] = [touched, kept];
    [touched, kept] = [new Set(), null];
    for (const field of fields) {
      // As browsers do: of a group's buttons, the one that is pressed tells.
      if (!field.isConnected || (field.type === "radio" && !field.checked)) continue;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    last?.part.removeAttribute("aria-busy");
    if (last?.part.isConnected) last.act();
  }

  listen();
  // Modules have run by then, and htmx begins at this very event.
  document.addEventListener("DOMContentLoaded", () => setTimeout(done));
  // Parts that a page has come to show may need scripts that it did not have (live.js).
  document.addEventListener("wv-scripts-wanted", listen);
  document.addEventListener("wv-scripts-there", done);
})();
