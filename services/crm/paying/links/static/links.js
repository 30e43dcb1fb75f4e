// The link form: says on its button how many passengers get a link, and fills in what fits whenever kind or part of
// the trip change, so that no amount of one kind goes out as another.

const picks = [...document.querySelectorAll("[data-pick]")];
const text = document.querySelector("[data-send-text]");
const source = document.querySelector("[data-fillings]");

function refresh() {
  const count = picks.filter((pick) => pick.checked).length;
  text.textContent = count ? `Send link to ${count} ${count === 1 ? "passenger" : "passengers"}` : "Send link";
}

for (const pick of picks) pick.addEventListener("change", refresh);
if (text) refresh();

function setUpFilling(form, fillings, none) {
  const segment = form.elements.namedItem("segment_id");
  const purpose = form.elements.namedItem("purpose");
  const dueOn = form.elements.namedItem("due_on");
  const kind = () => form.querySelector("[name=type]:checked")?.value ?? "";
  const parts = [...segment.options].map((option) => option.value).filter((value) => value !== none);
  let part = segment.value === none ? parts[0] : segment.value;

  // What was filled in and not touched since is filled in anew; what the agent typed stays, and the server asks about
  // an amount that does not fit.
  const filled = new Map();
  const remember = (field, value = field.value) => filled.set(field, value);
  const put = (field, value) => {
    if (field.value !== filled.get(field)) return;
    field.value = value;
    remember(field);
  };
  const amounts = picks.map((pick) => pick.closest(".pay-person").querySelector(".pay-amount input")).filter(Boolean);
  for (const field of [purpose, dueOn, ...amounts]) remember(field, field.defaultValue);

  function fill() {
    const found = fillings[`${kind()}/${segment.value}`];
    if (!found) return;
    put(purpose, found.purpose);
    put(dueOn, found.due_on);
    // The whole amount stands with the first who pays; shares are the agent's to part.
    const paying = picks.filter((pick) => pick.checked);
    for (const pick of picks) {
      const amount = pick.closest(".pay-person").querySelector(".pay-amount input");
      if (amount) put(amount, pick === (paying[0] ?? picks[0]) ? found.amount : "");
    }
  }

  form.addEventListener("change", (event) => {
    if (event.target.name === "type") {
      // The fee is the agency's own; everything else goes to a supplier.
      if (kind() === "service_fee") segment.value = none;
      else if (segment.value === none && part) segment.value = part;
      fill();
    } else if (event.target === segment) {
      if (segment.value !== none) part = segment.value;
      else form.querySelector("[name=type][value=service_fee]").checked = true;
      fill();
    }
  });
}

if (source) setUpFilling(source.closest("form"), JSON.parse(source.dataset.fillings), source.dataset.noSegment);
