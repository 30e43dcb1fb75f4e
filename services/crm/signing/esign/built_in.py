"""The texts that every agency's library begins with. An agency changes them to what its counsel wants; what was signed
stays as it was. Pure."""

from collections.abc import Mapping
from typing import Final

from services.crm.signing.esign.rules import DocumentKind, Required

_CARD: Final = """\
CREDIT CARD AUTHORIZATION

I, {ClientName}, authorize {AgencyName} and its travel advisor {AgentName} to pass my card details to the suppliers of \
my trip, {Suppliers}, for the charges that I approve one by one.

1. Each charge needs its own approval. For every payment I get a secure link that names the supplier and the amount, \
or I give my card by telephone through the agency's secure line. This form by itself charges nothing.

2. My card is never written down. There is no place for a card number on this form, and I will not write one on it or \
send one by e-mail. The agency never asks for that.

3. What I confirm. I am the holder of the card that I will use, or may use it. Refunds follow each supplier's terms.

4. Taking it back. I can withdraw this authorization at any time by writing to {AgentEmail}; charges that were made \
before are not affected.

Trip: {TripTitle}
Date: {Today}"""

_TERMS: Final = """\
TERMS AND CONDITIONS

These terms are between {ClientName} and {AgencyName} for the trip “{TripTitle}”, from {BeginTravelDate} to \
{EndTravelDate}.

1. What the agency does. {AgencyName} arranges travel on behalf of its clients. The trip itself is provided by \
{Suppliers}, each under terms of its own, which I have received.

2. Prices and payments. Prices are fixed once the supplier has confirmed them and the deposit is paid. A late payment \
may lose the booking.

3. Changes and cancellation. Changes and cancellations follow the supplier's terms and may cost up to the full price. \
I will tell {AgentName} of any change as soon as I know of it.

4. Passports, visas and health. I make sure that everybody who travels, {Passengers}, has the documents and \
vaccinations that the journey needs.

5. Insurance. Travel insurance was recommended to me. Losses that it would have covered are mine if I travel without it.

6. Liability. {AgencyName} answers for its own work and not for what suppliers, weather, strikes or authorities do.

7. Reaching us. {AgentName}, {AgentEmail}. I will tell the agency of any complaint while there is still \
time to put it right.

Date: {Today}"""

_FEE: Final = """\
SERVICE FEE AGREEMENT

{ClientName} and {AgencyName} agree on a professional service fee.

1. The fee. {AgencyName} charges {ServiceFee} for: {ServiceFeeFor}. It is owed to the agency and is not part of what \
the suppliers charge.

2. What it pays for. Research, planning, booking and care before and during the trip “{TripTitle}” by {AgentName}.

3. Refunds. The fee pays for work that is done whether or not the trip takes place. It is not refunded once that work \
has begun, unless the law says otherwise.

4. How it is paid. I get a secure link for this payment. No card number is written on this form.

Date: {Today}"""

_INSURANCE: Final = """\
TRAVEL INSURANCE

{AgencyName} offers {ClientName} travel insurance for the trip “{TripTitle}”, from {BeginTravelDate} to {EndTravelDate}:

{PlanName}, at {PlanPrice}.

What it covers and what it does not is set out in the plan's own terms, which {AgentName} has given to me.

If I accept, {AgentName} arranges this insurance once I have paid for it. I am not insured before that.

If I decline, I understand that the costs of cancellation, interruption, delay, lost luggage, illness, accident and \
evacuation may be mine, that they may be far more than the price of the trip, and that some cover can't be bought \
later. I release {AgencyName} and {AgentName} from claims for losses that this insurance would have covered.

Date: {Today}"""

# kind → title, text, on which bookings.
BUILT_IN: Final[Mapping[DocumentKind, tuple[str, str, Required]]] = {
    DocumentKind.TERMS: ("Terms and conditions", _TERMS, Required.ALWAYS),
    DocumentKind.SERVICE_FEE: ("Service fee agreement", _FEE, Required.WITH_FEE),
    DocumentKind.CARD_AUTHORIZATION: ("Credit card authorization", _CARD, Required.NEVER),
    DocumentKind.INSURANCE: ("Travel insurance offer", _INSURANCE, Required.NEVER),
}
