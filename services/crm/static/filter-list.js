// A long list of check boxes gets a field that narrows it while one types. Chosen ones stay in sight.
for (const box of document.querySelectorAll("[data-crm-filter-list]")) {
  const rows = [...box.querySelectorAll(".form-check")];
  if (rows.length < 8) continue;
  const field = Object.assign(document.createElement("input"), {
    type: "search",
    className: "form-control",
    placeholder: "Find a client",
    autocomplete: "off",
  });
  field.setAttribute("aria-label", "Narrow the list of clients");
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLocaleLowerCase();
    for (const row of rows) {
      const chosen = row.querySelector("input").checked;
      row.hidden = !(chosen || row.textContent.toLocaleLowerCase().includes(wanted));
    }
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  box.querySelector("legend").after(field);
}
