// Choosing what a payment is fills in its amount; "a part of it" leaves the amount to the client, and what they typed there,
// before this script listened perhaps, stays.
const amount = document.getElementById("amount");
const offers = new Map([...document.querySelectorAll("[data-pt-offer]")].map((offer) => [offer.dataset.ptOffer, offer.value]));

for (const choice of document.querySelectorAll("input[name=type]")) {
  choice.addEventListener("change", () => {
    if (offers.has(choice.value)) {
      amount.value = offers.get(choice.value);
      return;
    }
    if ([...offers.values()].includes(amount.value)) amount.value = "";
    amount.focus();
  });
}
