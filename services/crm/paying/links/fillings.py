"""What the link form fills in for each kind of payment and part of the trip, and where what was entered does not fit.
Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chassis.money import Money
from services.crm.paying.payments.service import TYPE_WORDS, PaymentType
from services.crm.paying.schedule.service import BookingSchedule, SegmentSchedule, open_due_of, proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """What makes sense for one choice. `amount` is None where the schedule names none."""

    type: PaymentType
    segment_id: str
    amount: Money | None
    due_on: date | None
    purpose: str

    def as_typed(self) -> dict[str, str]:
        """As the form's fields hold it."""
        return {
            "amount": f"{self.amount.decimal:,}" if self.amount else "",
            "due_on": self.due_on.isoformat() if self.due_on else "",
            "purpose": self.purpose,
        }


def fillings(schedule: BookingSchedule) -> list[Filling]:
    """One for each kind and segment, and one for the agency's own fee (without a segment)."""
    kinds = (PaymentType.DEPOSIT, PaymentType.REGULAR, PaymentType.FINAL)
    found = [_of_segment(each, kind) for each in schedule.segments for kind in kinds]
    fee = proposal(schedule, fee=True)
    return [
        *found,
        Filling(
            type=PaymentType.SERVICE_FEE,
            segment_id="",
            amount=fee.amount if fee else None,
            due_on=None,
            purpose=schedule.fee_purpose,
        ),
    ]


def _of_segment(segment: SegmentSchedule, kind: PaymentType) -> Filling:
    due = open_due_of(segment, kind)
    return Filling(
        type=kind,
        segment_id=segment.segment.id,
        amount=due.not_asked if due else None,
        due_on=due.due.due_on if due else None,
        purpose=f"{TYPE_WORDS[kind]} for {segment.segment.data.supplier_name}",
    )


def doubts(
    known: Sequence[Filling], *, kind: PaymentType, segment_id: str, total: Money, purpose: str, has_fee: bool
) -> list[str]:
    """Why what was entered looks as if it was meant for another kind of payment; empty when it fits."""
    words = TYPE_WORDS[kind].lower()
    found = []
    fitting = (each for each in known if each.type is kind and each.segment_id in ("", segment_id))
    own = next(fitting, None)
    if kind is PaymentType.SERVICE_FEE and not has_fee:
        found.append(f"This booking has no service fee, and this asks for one of {total.format()}.")
    if kind is PaymentType.DEPOSIT and own and own.amount and total.minor > own.amount.minor:
        found.append(f"What is left of the deposit is {own.amount.format()}; this asks for {total.format()}.")
    meant = next((each for each in known if each.purpose.casefold() == purpose.strip().casefold()), None)
    if meant is not None and meant is not own and (own is None or meant.purpose != own.purpose):
        found.append(f"It is sent as a {words}, but says “{meant.purpose}”.")
    return found
