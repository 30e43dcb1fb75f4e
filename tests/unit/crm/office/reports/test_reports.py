"""Reports over real rows: what is summed, who sees it, and that wrong input is answered kindly."""

from datetime import UTC, date, datetime, timedelta

import pytest

from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.money import Money
from protos.wayvault.common.v1.common_pb2 import Money as WireMoney
from protos.wayvault.events.v1.events_pb2 import Agency, Agent, Client, PaymentContext, Segment
from services.crm.core.actor import Actor
from services.crm.office.reports.rules import Commission, CommissionState, Period
from services.crm.office.reports.service import Wanted
from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.service import NewPayment, PaymentState, PaymentType, open_payment
from services.crm.trips.bookings.service import BookingData, BookingDetail, BookingStatus, SegmentData, SegmentKind
from tests.support.crm_paying import usd
from tests.support.crm_site import CrmSite, text_of

YEAR = Wanted(period=Period(first=date(2026, 1, 1), last=date(2026, 12, 31)))
REPORTS = ("/reports", "/reports/processed", "/reports/due", "/reports/commissions", "/reports/clients")


def paid(
    site: CrmSite,
    amount: Money,
    closed: datetime,
    *,
    actor: Actor | None = None,
    type_: PaymentType = PaymentType.DEPOSIT,
    state: PaymentState = PaymentState.PROCESSED,
    booking: BookingDetail | None = None,
) -> None:
    """A payment that was closed at a moment."""
    actor, booking = actor or site.maya, booking or site.booking
    context = PaymentContext(
        booking_id=booking.id,
        booking_title=booking.title,
        agency=Agency(id=site.agency_id),
        agent=Agent(id=actor.agent_id),
        payer=Client(id=site.client.id, email="eleanor@mail.example"),
        segment=Segment(id=booking.segments[0].id, supplier_name="Aurora Cruises"),
        amount=WireMoney(minor=amount.minor, currency=amount.currency),
    )
    new = NewPayment(context=context, payer_name="Eleanor Whitcombe", type=type_, due_on=None)
    with site.database.transaction() as session:
        opened = open_payment(session, new, at=closed - timedelta(days=1))
        row = session.get_one(PaymentRow, opened.id)
        row.state, row.closed_at = state, closed


def dated(site: CrmSite, **changed: object) -> BookingDetail:
    """Maya's booking with dates and a commission."""
    known: dict[str, object] = {
        "supplier_name": "Aurora Cruises",
        "kind": SegmentKind.CRUISE,
        "price": usd(4_000_00),
        "begins_on": date(2026, 12, 20),
        "deposit": usd(500_00),
        "deposit_due_on": date(2026, 11, 25),
        "final": usd(3_500_00),
        "final_due_on": date(2026, 12, 10),
        "commission": usd(400_00),
    }
    version = site.deps.trips.bookings.get(site.maya, site.booking.id).version
    data = SegmentData(**known | changed)  # type: ignore[arg-type]
    site.deps.trips.bookings.change_segment(site.maya, site.booking.id, site.segment_id, data, version=version)
    return site.deps.trips.bookings.get(site.maya, site.booking.id)


def due(site: CrmSite, actor: Actor, **changed: object) -> list[tuple[str, str, int]]:
    wanted = Wanted(period=Period(first=date(2026, 11, 1), last=date(2026, 12, 31)), **changed)  # type: ignore[arg-type]
    lines = site.deps.office.reports.due_export(actor, wanted)
    return [(line.kind.value, line.due_on.isoformat(), line.still_open.minor) for line in lines]


def test_processed_payments_are_summed_by_the_readers_month_and_by_currency(site: CrmSite) -> None:
    paid(site, usd(100_00), datetime(2026, 3, 15, tzinfo=UTC))
    # In New York it is still March.
    paid(site, usd(7_00), datetime(2026, 4, 1, 2, tzinfo=UTC))
    paid(site, usd(1_00), datetime(2026, 4, 1, 5, tzinfo=UTC))
    paid(site, Money(minor=900_00, currency="EUR"), datetime(2026, 3, 15, tzinfo=UTC))
    paid(site, usd(5_000_00), datetime(2026, 3, 15, tzinfo=UTC), state=PaymentState.VOIDED)
    figures = site.deps.office.reports.processed(site.maya, YEAR)
    found = {each.span.first.month: (each.count, each.amount.minor) for each in figures if each.count}
    assert found == {3: (2, 107_00), 4: (1, 1_00)}
    assert site.deps.office.reports.payment_currencies(site.maya, "", ("USD", "EUR", "GBP")) == ["USD", "EUR"]


def test_an_agent_sees_her_own_figures_and_an_admin_everybodys_or_one_agents(site: CrmSite) -> None:
    paid(site, usd(100_00), datetime(2026, 3, 15, tzinfo=UTC))
    reports = site.deps.office.reports

    def total(actor: Actor, agent_id: str = "") -> int:
        wanted = Wanted(period=YEAR.period, agent_id=agent_id)
        return sum(each.amount.minor for each in reports.processed(actor, wanted))

    assert (total(site.maya), total(site.jonas), total(site.ada)) == (100_00, 0, 100_00)
    assert (total(site.ada, site.maya.agent_id), total(site.ada, site.jonas.agent_id)) == (100_00, 0)
    with pytest.raises(NotFound):
        reports.check_agent(site.maya, site.jonas.agent_id)


def test_what_is_due_is_what_is_left_of_it(site: CrmSite) -> None:
    dated(site)
    assert due(site, site.maya) == [("deposit", "2026-11-25", 500_00), ("final", "2026-12-10", 3_500_00)]
    paid(site, usd(200_00), datetime(2026, 11, 2, tzinfo=UTC))
    assert due(site, site.maya)[0][2] == 300_00
    paid(site, usd(800_00), datetime(2026, 11, 3, tzinfo=UTC))
    assert due(site, site.maya) == [("final", "2026-12-10", 3_000_00)]
    paid(site, usd(9_00), datetime(2026, 11, 3, tzinfo=UTC), type_=PaymentType.SERVICE_FEE)
    assert due(site, site.maya) == [("final", "2026-12-10", 3_000_00)]
    paid(site, usd(3_000_00), datetime(2026, 11, 4, tzinfo=UTC))
    assert due(site, site.maya) == []


def test_dues_have_the_same_sum_as_figures_and_each_sees_her_own(site: CrmSite) -> None:
    dated(site)
    wanted = Wanted(period=Period(first=date(2026, 11, 1), last=date(2026, 12, 31)))
    word, figures = site.deps.office.reports.due_figures(site.maya, wanted)
    assert word == "week"
    assert sum(each.amount.minor for each in figures) == 4_000_00
    assert sum(each.count for each in figures) == 2
    assert due(site, site.jonas) == []
    assert len(due(site, site.ada)) == 2
    assert due(site, site.ada, agent_id=site.jonas.agent_id) == []
    assert due(site, site.maya, currency="EUR") == []


def test_a_cancelled_trip_owes_nothing_and_brings_nothing(site: CrmSite) -> None:
    booking = dated(site)
    data = BookingData(title=booking.title, status=BookingStatus.CANCELLED, currency="USD")
    site.deps.trips.bookings.change(site.maya, booking.id, data, version=booking.version)
    assert due(site, site.maya) == []
    assert site.deps.office.commissions.list_page(site.maya, YEAR, None, 1).total == 0


def test_a_commission_is_expected_then_noted_in_parts_and_taken_back(site: CrmSite) -> None:
    dated(site)
    commissions = site.deps.office.commissions

    def commission() -> Commission:
        months = dict(commissions.by_month(site.maya, YEAR))
        return next(each for span, each in months.items() if span.first.month == 12)

    assert commission() == Commission(expected=400_00, received=0)
    for amount in (150_00, 250_00):
        commissions.record(
            site.maya,
            site.booking.id,
            site.segment_id,
            amount=usd(amount),
            received_on=date(2026, 11, 20),
            reference="Cheque 7",
        )
        site.clock.advance(timedelta(minutes=1))
    assert commission() == Commission(expected=400_00, received=400_00)
    assert commissions.list_page(site.maya, YEAR, CommissionState.OUTSTANDING, 1).total == 0
    assert commissions.list_page(site.maya, YEAR, CommissionState.RECEIVED, 1).total == 1
    line, receipts = commissions.line(site.maya, site.booking.id, site.segment_id)
    assert [each.amount.minor for each in receipts] == [150_00, 250_00]
    commissions.take_back(site.maya, site.booking.id, receipts[0].id)
    assert commission().outstanding == 150_00
    assert line.commission.state is CommissionState.RECEIVED


def test_only_the_own_agent_notes_a_commission_and_only_of_her_segment(site: CrmSite) -> None:
    dated(site)
    note = {"amount": usd(1_00), "received_on": date(2026, 11, 20), "reference": ""}
    record = site.deps.office.commissions.record
    with pytest.raises(NotFound):
        record(site.jonas, site.booking.id, site.segment_id, **note)  # type: ignore[arg-type]
    with pytest.raises(PermissionDenied):
        record(site.ada, site.booking.id, site.segment_id, **note)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        record(site.maya, site.booking.id, "segment_of_another", **note)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument):
        record(site.maya, site.booking.id, site.segment_id, **note | {"received_on": date(2026, 12, 24)})  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        site.deps.office.commissions.take_back(site.maya, site.booking.id, "receipt_of_another")


def test_the_commissions_form_keeps_what_was_typed_and_says_what_is_wrong(site: CrmSite) -> None:
    dated(site)
    browser = site.signed_in(site.maya)
    path = f"/reports/commissions/{site.booking.id}/{site.segment_id}"
    assert 'value="400.00"' in browser.get(path).text
    answer = browser.post(path, {"amount": "many", "received_on": "2027-01-01", "reference": "Wire 42"})
    assert answer.status_code == 422
    assert "Wire 42" in answer.text
    assert "Write an amount such as 1240.00." in answer.text
    answer = browser.post(path, {"amount": "400", "received_on": "2027-01-01"})
    assert "still to come" in answer.text
    assert browser.post(path, {"amount": "400", "received_on": "2026-11-20"}).status_code == 303
    shown = text_of(browser.get("/reports/commissions"))
    assert "US$ 400.00 received" in shown.replace("\u00a0", " ")
    assert site.signed_in(site.jonas).get(path).status_code == 404


def test_clients_are_counted_by_the_month_in_which_they_came(site: CrmSite) -> None:
    paid(site, usd(100_00), datetime(2026, 3, 15, tzinfo=UTC))
    counts = [count for _, count in site.deps.office.reports.new_clients(site.maya, YEAR)]
    assert sum(counts) == 1
    assert site.deps.office.reports.client_count(site.maya, "") == 1
    (best,) = site.deps.office.reports.best_clients(site.maya, YEAR)
    assert (best.name, best.payments, best.amount) == ("Eleanor Whitcombe", 1, usd(100_00))
    assert site.deps.office.reports.best_clients(site.jonas, YEAR) == []


def test_every_report_opens_with_its_chart_and_the_same_figures_as_a_table(site: CrmSite) -> None:
    dated(site)
    paid(site, usd(100_00), datetime(2026, 11, 15, tzinfo=UTC))
    browser = site.signed_in(site.ada)
    for path in REPORTS:
        page = browser.get(path)
        assert page.status_code == 200
        if path != "/reports":
            assert page.text.count('role="img" aria-labelledby') == 2, path
            assert "<caption" in page.text
            assert "<desc" in page.text
    assert "US$ 100.00" in text_of(browser.get("/reports/processed")).replace("\u00a0", " ")


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-13-45&to=x",
        "from=2026-12-01&to=2026-01-01",
        "from=1999-01-01&to=2099-01-01",
        "from=0001-01-01",
        "to=9999-12-31",
        "currency=XXX&page=99999&state=nonsense",
        "currency=%00&from=%00",
    ],
)
def test_nonsense_in_the_address_is_answered_with_a_report_and_a_word(site: CrmSite, query: str) -> None:
    dated(site)
    browser = site.signed_in(site.maya)
    for path in REPORTS[1:]:
        for page in (path, f"{path}.csv"):
            assert browser.get(f"{page}?{query}").status_code == 200


def test_a_foreign_agents_figures_are_no_page(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    for path in REPORTS[1:]:
        assert browser.get(f"{path}?agent={site.jonas.agent_id}").status_code == 404
        assert browser.get(f"{path}.csv?agent=agent_of_another_house").status_code == 404


def test_no_csv_can_carry_a_formula(site: CrmSite) -> None:
    dated(site, supplier_name="=cmd|'/c calc'!A1", confirmation_number="@SUM(1)")
    browser = site.signed_in(site.maya)
    assert "'=cmd" in browser.get("/reports/due.csv?from=2026-11-01&to=2026-12-31").text
    table = browser.get("/reports/commissions.csv").text
    assert "'=cmd" in table
    assert "'@SUM" in table
