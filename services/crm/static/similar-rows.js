// Similar rows of an import: whoever chooses a field's value means to update the client.
for (const panel of document.querySelectorAll(".crm-pairs .wv-panel")) {
  panel.querySelector(".crm-choices")?.addEventListener("change", () => {
    panel.querySelector("[name^=decision-][value=update]").checked = true;
  });
}
