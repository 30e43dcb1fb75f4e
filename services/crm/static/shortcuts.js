// Keyboard shortcuts of the desk: n or + new booking, p payment report, ? the list of them. "/" is the search's own (app.js).
const list = document.getElementById("crm-shortcuts");
const typing = (target) => target instanceof Element && target.closest("input, textarea, select, [contenteditable], iframe");

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  // While a dialog is open, keys are its own.
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?") { event.preventDefault(); list.showModal(); }
  if (event.key === "n" || event.key === "+") { event.preventDefault(); location.assign(list.dataset.newBooking); }
  if (event.key === "p") { event.preventDefault(); location.assign(list.dataset.paymentReport); }
});
