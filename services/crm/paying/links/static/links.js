// The link form: says on its button how many passengers get a link, and shows an amount where one is ticked.

const picks = [...document.querySelectorAll("[data-pick]")];
const text = document.querySelector("[data-send-text]");

function refresh() {
  const count = picks.filter((pick) => pick.checked).length;
  text.textContent = count ? `Send link to ${count} ${count === 1 ? "passenger" : "passengers"}` : "Send link";
  for (const pick of picks) {
    const amount = pick.closest(".pay-person").querySelector(".pay-amount");
    if (amount) amount.hidden = !pick.checked;
  }
}

for (const pick of picks) pick.addEventListener("change", refresh);
if (text) refresh();
