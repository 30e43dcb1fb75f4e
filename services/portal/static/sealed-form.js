// What the forms share whose card or code the secure frame seals: they are sent once at a time, a slot at the vault that
// was not to be had is asked for again, and who comes back gets a fresh page.
import { Unreachable, postJson, setBusy } from "/static/chassis/ui.js";

/**
 * Sends the form by a script, at most once at a time.
 * @param {() => Promise<boolean>} send sends it; resolves with whether the page is being left
 */
export function onSubmit(form, button, live, send) {
  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (busy) return;
    busy = true;
    setBusy(button, true);
    let done = false;
    try {
      done = await send();
    } finally {
      if (!done) {
        busy = false;
        live.textContent = "";
        setBusy(button, false);
      }
    }
  }, { capture: true });
}

/**
 * The button of a page whose vault could not be reached.
 * @param {(intakeId: string) => void} mount shows the frame @param {(message: string) => void} trouble says why there is still none
 */
export function onRetry(button, intakeUrl, mount, trouble) {
  button.addEventListener("click", async () => {
    setBusy(button, true);
    try {
      mount((await postJson(intakeUrl, {})).intake_id);
    } catch (error) {
      trouble(error instanceof Unreachable ? "There seems to be no connection. Nothing was lost; please try again." : error.message);
    } finally {
      setBusy(button, false);
    }
  });
}

/** Back from the page that followed: what was in the frame is gone, so the page is loaded anew. */
export function reloadWhenBack() {
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
}
