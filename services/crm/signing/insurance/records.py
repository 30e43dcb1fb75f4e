"""Insurance offers as the rest of the CRM sees them: values, read from their rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chassis.money import Money
from services.crm.core.asked import Kind
from services.crm.core.together import AskedPart
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
class Offer(AskedPart[OfferState]):
    """An offer as pages see one."""

    course = COURSE

    passenger_name: str
    plan: str
    price: Money
    decided_at: datetime | None

    @property
    def is_answered(self) -> bool:
        return self.state in (OfferState.ACCEPTED, OfferState.DECLINED)


def view(row: InsuranceOfferRow) -> Offer:
    """The offer as a value."""
    return Offer(
        **KIND.seen(row),
        visit_id=row.visit_id,
        passenger_name=row.passenger_name,
        plan=row.plan,
        price=Money(minor=row.price_minor, currency=row.currency),
        decided_at=row.decided_at,
    )
