"""Visits as pages see them: values, read from their rows and from what the parts' rooms say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from chassis.visit_words import document_line, insurance_line, payment_line
from services.crm.core.asked import Asked, Kind
from services.crm.office.visits.models import VisitRow
from services.crm.office.visits.rules import COURSE, PartState, Shown, VisitState, can_remind, can_withdraw, shown
from services.crm.paying.links.rules import LinkState
from services.crm.paying.links.service import Link
from services.crm.paying.payments.service import Payment
from services.crm.signing.esign.rules import DONE, RequestState
from services.crm.signing.esign.service import SignRequest
from services.crm.signing.insurance.service import Offer, OfferState

KIND: Final = Kind(
    row=VisitRow,
    state=VisitState,
    course=COURSE,
    unknown="There is no such request among yours.",
    not_yours="Only the agent who owns this booking can act on its requests.",
)
_ENDS: Final = {"expired": PartState.EXPIRED, "withdrawn": PartState.WITHDRAWN, "revoked": PartState.WITHDRAWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitPart:
    """A part: `kind` is insurance, document or payment, `about` the id of what its own page is about."""

    kind: str
    id: str
    about: str
    title: str
    state: PartState
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(Asked[VisitState]):
    """A visit with its parts."""

    booking_title: str
    passenger_name: str
    opened_at: datetime | None
    parts: Sequence[VisitPart] = ()
    # The whole link, only in the answer to the act that made its token; no later reader can know it.
    fresh_url: str = field(default="", repr=False, compare=False)

    @property
    def _states(self) -> list[PartState]:
        return [part.state for part in self.parts]

    @property
    def shown(self) -> Shown:
        return shown(self.state, self._states)

    @property
    def done(self) -> int:
        return self._states.count(PartState.DONE)

    @property
    def can_remind(self) -> bool:
        return can_remind(self.state, self._states)

    @property
    def can_withdraw(self) -> bool:
        return can_withdraw(self.state, self._states)


def view(row: VisitRow, parts: Sequence[VisitPart] = (), *, fresh_url: str = "") -> Visit:
    """The row as a value."""
    return Visit(
        **KIND.seen(row),
        booking_title=row.booking_title,
        passenger_name=row.passenger_name,
        opened_at=row.opened_at,
        parts=parts,
        fresh_url=fresh_url,
    )


def insurance_part(offer: Offer) -> VisitPart:
    state = PartState.DONE if offer.is_answered else _ENDS.get(offer.state, PartState.WAITING)
    outcome = "Accepted" if offer.state is OfferState.ACCEPTED else "Declined"
    return VisitPart(
        kind="insurance",
        id=offer.id,
        about=offer.id,
        title=insurance_line(offer.plan, offer.price.format()),
        state=state,
        outcome=outcome,
    )


def document_part(asked: SignRequest) -> VisitPart:
    state = PartState.DONE if asked.state in DONE else _ENDS.get(asked.state, PartState.WAITING)
    return VisitPart(
        kind="document",
        id=asked.id,
        about=asked.id,
        title=document_line(asked.title),
        state=state,
        outcome="Signed on paper" if asked.state is RequestState.PAPER else "Signed",
    )


def payment_part(link: Link, payment: Payment) -> VisitPart:
    done = link.state is LinkState.SUBMITTED
    return VisitPart(
        kind="payment",
        id=link.id,
        about=payment.id,
        title=payment_line(payment.amount.format(), payment.purpose),
        state=PartState.DONE if done else _ENDS.get(link.state, PartState.WAITING),
        outcome="Authorized",
    )
