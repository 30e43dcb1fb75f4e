"""What may be recorded, confirmed, declined and reversed, and in which words it is refused. Pure."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from services.crm.paying.payments.service import Allowed, Decision, Fact, PaymentState, Refused, after

# A payment is often written down long after it was made, but not before it is: a day of leeway for other zones.
EARLIEST: Final = date(2000, 1, 1)
_LEEWAY: Final = timedelta(days=1)


class Act(StrEnum):
    """What people did with a payment that Wayvault did not see being made, or took back."""

    REPORTED = "reported"
    RECORDED = "recorded"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    REVERSED = "reversed"


ACT_WORDS: Final = {
    Act.REPORTED: "Reported by the client",
    Act.RECORDED: "Recorded",
    Act.CONFIRMED: "Confirmed",
    Act.DECLINED: "Not found",
    Act.REVERSED: "Reversed",
}


def day_error(paid_on: date, today: date) -> str:
    """Why a payment can't have been made on this day, in words; empty when it can."""
    if paid_on > today + _LEEWAY:
        return "This day is still to come. Enter the day on which the payment was made."
    if paid_on < EARLIEST:
        return "Enter the day on which the payment was made, from the year 2000 on."
    return ""


def may_answer(state: PaymentState) -> Decision:
    """Whether the agent may confirm or decline what the client reported."""
    if after(state, Fact.CONFIRMED):
        return Allowed()
    if state is PaymentState.PROCESSED:
        return Refused(why="This payment is already confirmed.")
    if state is PaymentState.DECLINED:
        return Refused(why="You have told the client already that this payment was not found.")
    return Refused(why="There is nothing to confirm on this payment: the client did not report it.")


def may_reverse(state: PaymentState) -> Decision:
    """Whether a processed or recorded payment may be taken back as a mistake."""
    if after(state, Fact.REVERSED):
        return Allowed()
    if state is PaymentState.REVERSED:
        return Refused(why="This payment is already reversed.")
    return Refused(why="Only a payment that was processed or recorded can be reversed.")
