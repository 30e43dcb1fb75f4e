// Find and do: the search in the top bar as a combobox (WAI-ARIA: the field keeps the focus, arrows choose an option).
const field = document.getElementById("wv-search");
const place = document.getElementById("wv-search-results");
const options = () => [...place.querySelectorAll("[role=option]")];

function choose(option) {
  for (const each of options()) each.setAttribute("aria-selected", String(each === option));
  if (option) {
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else field.removeAttribute("aria-activedescendant");
}

function close() {
  place.replaceChildren();
  field.setAttribute("aria-expanded", "false");
  choose(null);
}

field.addEventListener("keydown", (event) => {
  const all = options();
  const at = all.findIndex((each) => each.id === field.getAttribute("aria-activedescendant"));
  if ((event.key === "ArrowDown" || event.key === "ArrowUp") && all.length) {
    event.preventDefault();
    event.stopPropagation();
    const step = event.key === "ArrowDown" ? 1 : -1;
    choose(all[at < 0 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length]);
  } else if (event.key === "Enter" && at >= 0) {
    event.preventDefault();
    all[at].click();
  } else if (event.key === "Escape" && place.childElementCount) {
    event.stopPropagation();
    close();
  }
});

// Ctrl-K also from within a field: it is nobody's own key there.
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  if (document.querySelector("dialog[open]")) return;
  event.preventDefault();
  field.focus();
  field.select();
});

place.addEventListener("htmx:afterSwap", () => {
  field.setAttribute("aria-expanded", String(options().length > 0));
  choose(null);
});
