"""What rests on the database's locks, on PostgreSQL too."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path

import pytest

from chassis.web.lockout import FAILURES_ALLOWED
from services.crm.access.auth.service import Accepted, Rejected
from services.crm.core.errors import ChangedMeanwhile
from services.crm.core.ordering import Order
from services.crm.office.mail_outcomes.service import FailureSort
from services.crm.office.reports.commissions import CommissionSort
from services.crm.office.reports.service import DueSort
from services.crm.office.support.service import TicketSort
from services.crm.paying.links.overview import LinkSort
from services.crm.paying.payments.service import PendingSort
from services.crm.paying.phone.service import CallSort
from services.crm.paying.reminders.log import LogSort
from services.crm.paying.standing_orders.service import OrderSort
from services.crm.sales.clients.service import ClientSort
from services.crm.sales.suppliers.service import SupplierSort
from services.crm.sales.tasks.service import TaskSort
from services.crm.signing.esign.service import RequestSort
from services.crm.trips.bookings.service import BookingFilter, BookingSort, SegmentData, SegmentKind
from services.crm.trips.quotes.service import QuoteSort
from tests.support.crm_site import CrmSite

_ORDERS: dict[str, type[StrEnum]] = {
    "/bookings": BookingSort,
    "/clients": ClientSort,
    "/links": LinkSort,
    "/payments": PendingSort,
    "/phone/calls": CallSort,
    "/quotes": QuoteSort,
    "/reminders/log": LogSort,
    "/reports/commissions": CommissionSort,
    "/reports/due": DueSort,
    "/signatures": RequestSort,
    "/standing-orders": OrderSort,
    "/suppliers": SupplierSort,
    "/support": TicketSort,
    "/tasks": TaskSort,
    "/undelivered": FailureSort,
}


@pytest.fixture
def site(tmp_path: Path, postgres_url: str) -> Iterator[CrmSite]:
    made = CrmSite(tmp_path, database_url=postgres_url)
    yield made
    made.close()


def test_one_code_used_in_eight_windows_at_once_opens_one(site: CrmSite) -> None:
    code = site.code(site.maya.email)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: site.deps.access.sign_in.check_code(site.maya.agent_id, code), range(8)))
    assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 1


def test_guessing_in_parallel_gets_no_more_than_ten_tries(site: CrmSite) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(
            pool.map(lambda n: site.deps.access.sign_in.check_password(site.maya.email, f"guess {n}"), range(30))
        )
    assert sum(isinstance(outcome, Rejected) and not outcome.locked for outcome in outcomes) == FAILURES_ALLOWED


def test_two_changes_of_a_booking_at_once_leave_one(site: CrmSite) -> None:
    data = SegmentData(supplier_name="Nordlys", kind=SegmentKind.FLIGHT)

    def add(_: int) -> bool:
        try:
            site.deps.trips.bookings.add_segment(site.maya, site.booking.id, data, version=site.booking.version)
        except ChangedMeanwhile:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(add, range(6))) == 1
    assert len(site.deps.trips.bookings.get(site.maya, site.booking.id).segments) == 2


def test_every_order_and_search_works(site: CrmSite) -> None:
    for sort in BookingSort:
        wanted = BookingFilter(text="eleanor", order=Order(sort))
        assert site.deps.trips.bookings.list_page(site.maya, wanted, 1).total == 1
    maya = site.signed_in(site.maya)
    for path in ("/", "/clients?q=whit", "/bookings?q=aurora", f"/bookings/{site.booking.id}", "/bookings?q=%00"):
        assert maya.get(path).status_code == 200
    for path, orders in _ORDERS.items():
        for order in orders:
            for turned in ("", "-"):
                assert maya.get(f"{path}?sort={turned}{order}").status_code == 200, (path, order)
