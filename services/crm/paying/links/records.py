"""Links and what is asked for when one is sent, as values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from chassis.money import Money
from protos.wayvault.events.v1.events_pb2 import PaymentType as WireType
from services.crm.core.asked import Kind
from services.crm.core.course import Fact
from services.crm.core.together import AskedPart
from services.crm.paying.links.models import PaymentLinkRow
from services.crm.paying.links.rules import COURSE, LIVE, LinkState
from services.crm.paying.payments.service import PaymentType

WIRE_TYPES = {
    PaymentType.DEPOSIT: WireType.PAYMENT_TYPE_DEPOSIT,
    PaymentType.REGULAR: WireType.PAYMENT_TYPE_REGULAR,
    PaymentType.FINAL: WireType.PAYMENT_TYPE_FINAL,
    PaymentType.SERVICE_FEE: WireType.PAYMENT_TYPE_SERVICE_FEE,
}

KIND: Final = Kind(
    row=PaymentLinkRow,
    state=LinkState,
    course=COURSE,
    unknown="There is no such link among yours.",
    not_yours="Only the agent who owns this payment can act on its link.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one passenger is asked to pay."""

    client_id: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """One sending: the same purpose for one or more passengers. `request_key` is made with the form, so that
    the form sent twice sends once."""

    request_key: str
    segment_id: str
    type: PaymentType
    purpose: str
    due_on: date | None
    shares: Sequence[Share]
    # Of a standing order: the plan in words, and how many days before each charge the client is told.
    plan: str = ""
    notice_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(AskedPart[LinkState]):
    """A link as pages see one."""

    course = COURSE

    payment_id: str
    opened_at: datetime | None
    submitted_at: datetime | None
    # The whole link, only in the answer to the act that made its token; no later reader can know it (C14).
    fresh_url: str = field(default="", repr=False, compare=False)

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def can_withdraw(self) -> bool:
        return COURSE.allows(self.state, Fact.WITHDRAWN) and self.state is not LinkState.EXPIRED


def link_of(row: PaymentLinkRow) -> Link:
    """A row as pages see it."""
    return Link(
        **KIND.seen(row),
        visit_id=row.visit_id,
        payment_id=row.payment_id,
        opened_at=row.opened_at,
        submitted_at=row.submitted_at,
    )
