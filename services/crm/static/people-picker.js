// The passenger picker: who is ticked among those found moves up to those who travel, so that the next search keeps them.
// Enter in the search field ticks the first one found; the arrow keys walk through them.
for (const picker of document.querySelectorAll("[data-crm-picker]")) {
  const search = picker.querySelector("[data-crm-picker-search]");
  const chosen = picker.querySelector("[data-crm-chosen]");
  const found = picker.querySelector("#people-found");
  // The button is for browsers without scripts; as the form's first one it would answer to Enter in every field.
  picker.querySelector("[data-crm-picker-find]").remove();

  const boxes = () => [...found.querySelectorAll("[name=passengers]")];

  function refresh() {
    const ticked = [...chosen.querySelectorAll("[name=passengers]:checked")];
    picker.querySelector("[data-crm-nobody]").hidden = chosen.children.length > 0;
    for (const person of chosen.children) {
      const travels = person.querySelector("[name=passengers]").checked;
      const lead = person.querySelector("[name=lead]");
      lead.disabled = !travels;
      if (!travels) lead.checked = false;
    }
    if (ticked.length && !chosen.querySelector("[name=lead]:checked")) {
      ticked[0].closest("[data-crm-person]").querySelector("[name=lead]").checked = true;
    }
  }

  function choose(box) {
    box.checked = true;
    chosen.append(box.closest("[data-crm-person]"));
    search.value = "";
    found.replaceChildren();
    refresh();
    search.focus();
  }

  // What was found must not open below the fold, nor under a phone's keyboard.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target !== found || !found.childElementCount) return;
    const below = found.getBoundingClientRect().bottom - (window.visualViewport?.height ?? window.innerHeight);
    if (below > 0) search.closest(".wv-field, div").scrollIntoView({ block: "start" });
  });

  picker.addEventListener("change", (event) => {
    if (event.target.name !== "passengers") return;
    if (found.contains(event.target)) choose(event.target);
    else refresh();
  });

  picker.addEventListener("keydown", (event) => {
    const stops = [search, ...boxes()];
    const at = stops.indexOf(event.target);
    if (at < 0) return;
    if (event.key === "Enter") {
      event.preventDefault();
      const box = at ? stops[at] : stops[1];
      if (box) choose(box);
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const next = stops[at + (event.key === "ArrowDown" ? 1 : -1)];
      if (next) { event.preventDefault(); next.focus(); }
    }
    if (event.key === "Escape" && search.value) {
      event.preventDefault();
      search.value = "";
      found.replaceChildren();
      search.focus();
    }
  });

  refresh();
}
