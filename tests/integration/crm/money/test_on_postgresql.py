"""Reports and reminders on PostgreSQL: the same figures as on SQLite, from the same use cases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from chassis.reminder_words import ReminderKind
from services.crm.office.reports.rules import Commission, CommissionState, Period
from services.crm.office.reports.service import Wanted
from services.crm.paying.reminders.log import LogFilter
from services.crm.paying.reminders.rules import DEFAULTS, Scope
from tests.support.crm_paying import usd
from tests.support.crm_people import tell
from tests.support.crm_site import CrmSite
from tests.unit.crm.office.reports.test_reports import REPORTS, YEAR, dated, paid
from tests.unit.crm.paying.reminders.test_reminders import settled


@pytest.fixture
def site(tmp_path: Path, postgres_url: str) -> Iterator[CrmSite]:
    made = CrmSite(tmp_path, database_url=postgres_url)
    yield made
    made.close()


def test_every_report_has_its_figures(site: CrmSite) -> None:
    dated(site)
    paid(site, usd(200_00), datetime(2026, 11, 2, tzinfo=UTC))
    reports, commissions = site.deps.office.reports, site.deps.office.commissions
    soon = Wanted(period=Period(first=date(2026, 11, 1), last=date(2026, 12, 31)))

    for actor in (site.maya, site.ada):
        assert sum(each.amount.minor for each in reports.processed(actor, YEAR)) == 200_00
        assert [line.still_open.minor for line in reports.due_export(actor, soon)] == [300_00, 3_500_00]
        assert sum(each.amount.minor for each in reports.due_figures(actor, soon)[1]) == 3_800_00
        assert sum(count for _, count in reports.new_clients(actor, YEAR)) == reports.client_count(actor, "") == 1
        assert [each.amount for each in reports.best_clients(actor, YEAR)] == [usd(200_00)]
    note = {"amount": usd(150_00), "received_on": date(2026, 11, 20), "reference": "Cheque 7"}
    commissions.record(site.maya, site.booking.id, site.segment_id, **note)  # type: ignore[arg-type]
    found = [each for _, each in commissions.by_month(site.ada, YEAR) if each.expected]
    assert found == [Commission(expected=400_00, received=150_00)]
    assert commissions.list_page(site.ada, YEAR, CommissionState.OUTSTANDING, 1).total == 1

    browser = site.signed_in(site.ada)
    for path in (*REPORTS, "/reminders", "/reminders/log", "/reminders/agency/final_payment"):
        assert browser.get(path).status_code == 200


def test_reminders_are_set_switched_and_logged(site: CrmSite) -> None:
    booking, reminders = dated(site), site.deps.paying.reminders
    rule = reminders.save(site.ada, Scope.AGENCY, DEFAULTS[ReminderKind.PAYMENT_DUE], version=0)
    sooner = replace(rule.data, days_before=3)
    assert reminders.save(site.ada, Scope.AGENCY, sooner, version=rule.version).version == 2
    for off in (True, True, False):
        reminders.switch(site.maya, booking.id, site.segment_id, off=off)
    tell(site, settled(site), settled(site))
    assert site.deps.paying.reminder_log.page(site.maya, LogFilter(sent=True), 1).total == 1
