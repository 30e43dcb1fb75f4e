"""What the street of signing holds: whatever clients sign that is no payment."""

from dataclasses import dataclass

from chassis.web.parts import held
from services.crm.signing.esign.service import Library, RequestBook, SignRequests
from services.crm.signing.insurance.service import InsuranceOffers


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """The street's use cases."""

    library: Library
    requests: SignRequests
    book: RequestBook
    insurance: InsuranceOffers


def signing() -> Signing:
    """The use cases, in a page."""
    return held(Signing)
