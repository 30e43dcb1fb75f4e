"""Insurance offers as the rest of the CRM sees them: values, read from their rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chassis.money import Money
from services.crm.core.asked import Kind
from services.crm.core.course import Fact
from services.crm.signing.insurance.models import InsuranceOfferRow
from services.crm.signing.insurance.rules import COURSE, OfferState

KIND: Final = Kind(
    row=InsuranceOfferRow,
    state=OfferState,
    course=COURSE,
    unknown="There is no such offer among yours.",
    not_yours="Only the agent who owns this booking can act on its offers.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An offer as pages see one."""

    id: str
    booking_id: str
    visit_id: str
    client_id: str
    passenger_name: str
    email: str
    plan: str
    price: Money
    state: OfferState
    issue: int
    delivery_problem: str
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    withdrawn_at: datetime | None

    @property
    def is_answered(self) -> bool:
        return self.state in (OfferState.ACCEPTED, OfferState.DECLINED)

    @property
    def can_remind(self) -> bool:
        return COURSE.allows(self.state, Fact.REMINDED)

    @property
    def can_withdraw(self) -> bool:
        return COURSE.allows(self.state, Fact.WITHDRAWN)


def view(row: InsuranceOfferRow) -> Offer:
    """The offer as a value."""
    return Offer(
        id=row.id,
        booking_id=row.booking_id,
        visit_id=row.visit_id,
        client_id=row.client_id,
        passenger_name=row.passenger_name,
        email=row.email,
        plan=row.plan,
        price=Money(minor=row.price_minor, currency=row.currency),
        state=OfferState(row.state),
        issue=row.issue,
        delivery_problem=row.delivery_problem,
        created_at=row.created_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        withdrawn_at=row.withdrawn_at,
    )
