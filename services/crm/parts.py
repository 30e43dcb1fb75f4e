"""What the CRM is made of, typed. Its pages reach each street by the holder of that street (`paying().links`)."""

from dataclasses import dataclass

from services.crm.access.parts import Access
from services.crm.core.parts import Core
from services.crm.office.parts import Office
from services.crm.paying.parts import Paying
from services.crm.sales.parts import Sales
from services.crm.signing.parts import Signing
from services.crm.trips.parts import Trips


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Everything that the CRM's faces (pages, worker, commands) use, street by street."""

    core: Core
    access: Access
    sales: Sales
    trips: Trips
    paying: Paying
    signing: Signing
    office: Office
