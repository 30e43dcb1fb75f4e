"""The wording of the authorization that the client signs after a card was keyed by phone. Exact, and kept as signed."""

from typing import Final

from services.crm.paying.payments.service import Payment

TITLE: Final = "Credit card authorization, given by phone"

_TEXT: Final = """\
CREDIT CARD AUTHORIZATION

I, {payer}, am the cardholder of the card {card} that I keyed on my telephone, or I am authorized by its holder to use \
it.

1. What I authorize. I authorize {charger} to charge this card once, in the amount of {amount}, as {type} for \
{purpose}. Trip: {trip}.

2. How my card is used. I asked {agency} and its travel advisor {agent} to pass my card details to {charger} for this \
charge. Nobody heard or saw the digits as I keyed them. My card is kept encrypted, can be opened by {agent} only and \
only once, and is destroyed when the charge is made or the payment is void.

3. What I confirm. I have received the price, the dates and the cancellation and change terms of this arrangement. \
Refunds follow the terms of {charger}. This authorization is for this amount only: any further charge needs a further \
authorization from me.

4. Taking it back. Until the charge is made I can withdraw this authorization by writing to {contact}.

By signing I accept these terms. My electronic signature has the same effect as one on paper."""


def render(payment: Payment, *, agency: str, agent: str, contact: str) -> str:
    """The terms for one payment whose card is stored."""
    return _TEXT.format(
        payer=payment.payer_name,
        card=payment.card_words,
        charger=payment.supplier_name or agency,
        amount=payment.amount.format().replace("\u00a0", " "),
        type=payment.type_words.lower(),
        purpose=payment.purpose,
        trip=payment.booking_title,
        agency=agency,
        agent=agent,
        contact=contact,
    )
