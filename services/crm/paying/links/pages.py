"""What forms that ask for a payment by link share: their fields, what these show first, what is asked about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wtforms.validators import Length

from chassis.cards import brand_words
from chassis.money import Money
from chassis.web.forms import BooleanField, DateField, Form, Optional, RadioField, SelectField, StringField, required
from services.crm.core.web import current_agent
from services.crm.paying.links.fillings import doubts, fillings
from services.crm.paying.links.records import LinkRequest
from services.crm.paying.parts import paying
from services.crm.paying.payments.pages import NO_SEGMENT
from services.crm.paying.payments.service import TYPE_WORDS, PaymentType
from services.crm.paying.schedule.service import BookingSchedule, Proposal, excess_of, proposal
from services.crm.sales.parts import sales
from services.crm.trips.bookings.service import BookingDetail


class PaymentFields(Form):
    """What is paid for. Who pays how much comes per form."""

    type = RadioField(
        "What kind of payment is it?",
        [required("Choose what kind of payment it is.")],
        choices={kind.value: words for kind, words in TYPE_WORDS.items()},
    )
    segment_id = SelectField(
        "Which part of the trip?",
        [required("Choose which part of the trip this payment is for.")],
        description="The client reads this supplier's name in the authorization.",
    )
    purpose = StringField(
        "What is it for?",
        [required("Say what the payment is for, such as “Deposit for two cabins”."), Length(max=200)],
        description="The client reads this, so write it for them. Never write a card number here.",
    )
    due_on = DateField("Due on", [Optional()], description="When the supplier wants the money.")
    overpay_ok = BooleanField("Send it all the same")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """What is asked about before it is sent: by how much it would go over the price (C6), and where kind, amount and
    words don't fit each other (ux 2)."""

    excess: Money | None = None
    words: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.excess is not None or bool(self.words)


def doubts_about(booking: BookingDetail, schedule: BookingSchedule, wanted: LinkRequest) -> Doubts:
    """A form sent twice counts once, and is not asked about again."""
    if paying().links.was_sent(wanted.request_key):
        return Doubts()
    total = sum((share.amount for share in wanted.shares), start=Money(minor=0, currency=booking.currency))
    unfit = doubts(
        fillings(schedule),
        kind=wanted.type,
        segment_id=wanted.segment_id,
        total=total,
        purpose=wanted.purpose,
        has_fee=schedule.fee is not None,
    )
    return Doubts(
        excess=excess_of(schedule, wanted.type, wanted.segment_id, total),
        words=(*_cards_that_cannot_be_used(booking, wanted), *unfit),
    )


def first_payment(
    booking: BookingDetail, schedule: BookingSchedule, *, segment_id: str = "", due_id: str = ""
) -> Mapping[str, Any]:  # Any: whatever a field takes as data
    """What the fields show first: the next amount that is due, or the one that was clicked. `amount` is among it where
    the schedule names one."""
    segment = booking.segment(segment_id)
    first = proposal(schedule, segment_id=segment.id if segment else "", due_id=due_id, fee=segment_id == NO_SEGMENT)
    if first is not None:
        return {
            "amount": first.amount,
            "type": first.type.value,
            "segment_id": first.segment_id or NO_SEGMENT,
            "due_on": first.due_on,
            "purpose": _purpose(first),
        }
    fallback = segment or next(iter(booking.segments), None)
    if fallback is not None:
        return {"segment_id": fallback.id}
    return {"type": PaymentType.SERVICE_FEE.value, "segment_id": NO_SEGMENT}


def _purpose(first: Proposal) -> str:
    if first.type is PaymentType.SERVICE_FEE:
        return first.purpose
    return f"{TYPE_WORDS[first.type]} for {first.purpose}"


def _cards_that_cannot_be_used(booking: BookingDetail, wanted: LinkRequest) -> list[str]:
    """C16: whose last card the supplier does not take, as far as the directory knows."""
    segment = booking.segment(wanted.segment_id)
    name = segment.data.supplier_name if segment else ""
    supplier = sales().suppliers.of_names(current_agent(), [name]).get(name)
    if supplier is None or not supplier.data.brands:
        return []
    last = paying().book.last_brands([share.client_id for share in wanted.shares])
    return [
        f"{name} takes {supplier.data.brands_words}; {passenger.name} paid by {brand_words(brand)} the last time."
        for share in wanted.shares
        if (brand := last.get(share.client_id)) and not supplier.data.takes(brand)
        if (passenger := booking.passenger(share.client_id)) is not None
    ]
