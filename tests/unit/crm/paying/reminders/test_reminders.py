"""Rules, preview, test, switches and log of reminders, on their pages and through their use cases."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.errors import NotFound, PermissionDenied
from chassis.reminder_words import TAGS, ReminderKind
from chassis.tags import Slip, fill, slips
from protos.wayvault.events.v1.events_pb2 import (
    BookingRemindersSwitched,
    ReminderRuleSaved,
    ReminderSendNowRequested,
    ReminderSettled,
    ReminderTestRequested,
)
from services.crm.core.errors import ChangedMeanwhile
from services.crm.paying.reminders.log import LogFilter
from services.crm.paying.reminders.rules import DEFAULTS, Outcome
from services.crm.paying.reminders.service import RuleData, Scope
from services.crm.trips.bookings.service import SegmentData, SegmentKind
from tests.support.crm_paying import usd
from tests.support.crm_people import published, tell
from tests.support.crm_site import CrmSite, text_of

DUE = ReminderKind.PAYMENT_DUE
RULE = RuleData(
    kind=DUE, days_before=5, active=True, subject="{DepositAmt} due", body="Dear {ClientFirstName}, {DepositDate}."
)


@pytest.fixture
def dated(site: CrmSite) -> CrmSite:
    """Maya's booking with a deposit due in three weeks and a final payment in three months."""
    data = SegmentData(
        supplier_name="Aurora Cruises",
        kind=SegmentKind.CRUISE,
        price=usd(4_000_00),
        begins_on=date(2027, 6, 3),
        deposit=usd(500_00),
        deposit_due_on=date(2026, 12, 12),
        final=usd(3_500_00),
        final_due_on=date(2027, 2, 20),
    )
    version = site.deps.trips.bookings.get(site.maya, site.booking.id).version
    site.deps.trips.bookings.change_segment(site.maya, site.booking.id, site.segment_id, data, version=version)
    return site


def settled(site: CrmSite, outcome: str = "sent", **changed: Any) -> ReminderSettled:
    known: dict[str, Any] = {
        "reminder_id": "reminder_1",
        "rule_id": "rule_1",
        "booking_id": site.booking.id,
        "segment_id": site.segment_id,
        "outcome": outcome,
        "address_hint": "e***@mail.example",
        "subject": "US$ 500.00 due",
        "kind": "payment_due",
        "due_on": "2026-12-12",
        "recipient_name": "Eleanor Whitcombe",
    }
    message = ReminderSettled(**known | changed)
    message.at.FromDatetime(site.clock.now())
    return message


def sent_now(site: CrmSite) -> list[ReminderSendNowRequested]:
    return [event for event in published(site) if isinstance(event, ReminderSendNowRequested)]


def form(**changed: object) -> dict[str, object]:
    known = {
        "version": 0,
        "active": "y",
        "days_before": 5,
        "anchor": "due",
        "subject": "{DepositAmt} due",
        "body": "Dear {ClientFirstName}, {DepositDate}.",
        "do": "save",
    }
    return known | changed


@given(st.text(), st.dictionaries(st.sampled_from(sorted(TAGS)), st.text()))
def test_filling_never_fails_and_leaves_text_without_tags_alone(text: str, values: dict[str, str]) -> None:
    filled = fill(text, values)
    if "{" not in text:
        assert filled == text
    assert fill("a {AgentName} b", {"AgentName": "{AgencyName}", "AgencyName": "x"}) == "a {AgencyName} b"


@given(st.text())
@example("AgencyName")
def test_only_tags_that_there_are_pass(text: str) -> None:
    found = slips(text.replace("{", "") + "{NoSuchTag} {ClientFirstName}", TAGS)
    assert Slip(written="{NoSuchTag}", nearest="") in found


def test_an_admin_sets_the_agencys_rule_and_an_agent_her_own_and_both_are_told(site: CrmSite) -> None:
    reminders = site.deps.paying.reminders
    reminders.save(site.ada, Scope.AGENCY, RULE, version=0)
    own = reminders.save(site.maya, Scope.OWN, RULE, version=0)
    told = [message for message in published(site) if isinstance(message, ReminderRuleSaved)]
    assert [message.agent_id for message in told] == ["", site.maya.agent_id]
    assert told[0].agency.time_zone == "America/New_York"
    assert [offer.in_force.scope for offer in reminders.offers(site.maya)[:1] if offer.in_force] == [Scope.OWN]
    assert [offer.in_force.scope for offer in reminders.offers(site.jonas)[:1] if offer.in_force] == [Scope.AGENCY]

    reminders.give_up(site.maya, DUE)
    last = published(site)[-1]
    assert isinstance(last, ReminderRuleSaved)
    assert (last.rule_id, last.withdrawn) == (own.id, True)
    assert reminders.offer(site.maya, DUE).own is None


def test_an_agent_can_not_set_the_agencys_rule(site: CrmSite) -> None:
    with pytest.raises(PermissionDenied):
        site.deps.paying.reminders.save(site.maya, Scope.AGENCY, RULE, version=0)
    assert site.signed_in(site.maya).get("/reminders/agency/payment_due").status_code == 404


def test_a_rule_that_was_changed_meanwhile_is_not_overwritten(site: CrmSite) -> None:
    site.deps.paying.reminders.save(site.ada, Scope.AGENCY, RULE, version=0)
    with pytest.raises(ChangedMeanwhile):
        site.deps.paying.reminders.save(site.ada, Scope.AGENCY, RULE, version=0)


def test_the_form_starts_from_the_agencys_text_and_keeps_what_was_typed(site: CrmSite) -> None:
    site.deps.paying.reminders.save(site.ada, Scope.AGENCY, RULE, version=0)
    browser = site.signed_in(site.maya)
    assert "Dear {ClientFirstName}, {DepositDate}." in browser.get("/reminders/own/payment_due").text
    answer = browser.post("/reminders/own/payment_due", form(subject="Hi {Firstname}", days_before=400))
    assert answer.status_code == 422
    assert "Enter how many days before, from 0 to 180." in answer.text
    assert "Hi {Firstname}" in answer.text
    answer = browser.post("/reminders/own/payment_due", form(subject="Hi {Firstname}"))
    assert answer.status_code == 422
    assert "{Firstname} is not a tag." in answer.text
    assert browser.post("/reminders/own/payment_due", form()).status_code == 303
    assert "5 days before" in text_of(browser.get("/reminders"))


@pytest.mark.parametrize("days", ["", "-1", "1.5", "many", "99999999999999999999"])
def test_nonsense_for_days_is_said_beside_its_field(site: CrmSite, days: str) -> None:
    answer = site.signed_in(site.maya).post("/reminders/own/payment_due", form(days_before=days))
    assert answer.status_code == 422
    assert "days_before-error" in answer.text


def test_the_preview_fills_a_real_booking_and_saves_nothing(dated: CrmSite) -> None:
    browser = dated.signed_in(dated.maya)
    page = browser.get("/reminders/own/payment_due")
    assert "Eleanor Whitcombe, Aurora Cruises, due Sat 12 Dec 2026" in text_of(page)
    shown = text_of(browser.post("/reminders/own/payment_due", form(do="preview")))
    assert "Dear Eleanor, Sat 12 Dec 2026." in shown
    assert "leaving Mon 7 Dec 2026" in shown
    assert dated.deps.paying.reminders.offer(dated.maya, DUE).own is None


def test_a_test_is_asked_for_with_the_text_as_typed(dated: CrmSite) -> None:
    browser = dated.signed_in(dated.maya)
    browser.get("/reminders/own/payment_due")
    answer = browser.post("/reminders/own/payment_due", form(do="test", subject="Typed, not saved"))
    assert "on its way to maya@harbour.example" in text_of(answer)
    (asked,) = [message for message in published(dated) if isinstance(message, ReminderTestRequested)]
    assert (asked.subject, asked.segment_id) == ("Typed, not saved", dated.segment_id)
    assert (asked.kind, asked.due_on) == ("payment_due", "2026-12-12")
    assert asked.agent.email == "maya@harbour.example"


def test_another_agents_booking_can_not_be_tried(dated: CrmSite) -> None:
    browser = dated.signed_in(dated.jonas)
    assert "There is none now" in browser.get("/reminders/own/payment_due").text
    key = f"{dated.booking.id}:{dated.segment_id}"
    browser.post("/reminders/own/payment_due", form(do="test", example=key))
    assert not [message for message in published(dated) if isinstance(message, ReminderTestRequested)]


def test_a_bookings_page_tells_what_leaves_when_and_what_was_sent(dated: CrmSite) -> None:
    dated.deps.paying.reminders.save(dated.ada, Scope.AGENCY, RULE, version=0)
    browser = dated.signed_in(dated.maya)
    shown = text_of(browser.get(f"/bookings/{dated.booking.id}"))
    assert "Leaves Mon 7 Dec 2026" in shown
    assert "No reminder" in shown
    tell(dated, settled(dated), settled(dated))
    shown = text_of(browser.get(f"/bookings/{dated.booking.id}"))
    assert "Leaves Mon 7 Dec 2026" not in shown
    assert "e***@mail.example" in shown


def test_a_segments_reminders_are_switched_off_and_on(dated: CrmSite) -> None:
    reminders = dated.deps.paying.reminders
    reminders.save(dated.ada, Scope.AGENCY, RULE, version=0)
    browser = dated.signed_in(dated.maya)
    browser.get(f"/bookings/{dated.booking.id}")
    address = f"/reminders/bookings/{dated.booking.id}"
    assert browser.post(address, {"segment": dated.segment_id, "off": "1"}).status_code == 303
    assert [each.off for each in reminders.planned(dated.deps.trips.bookings.get(dated.maya, dated.booking.id))] == [
        True
    ] * 2
    browser.post(address, {"segment": "", "off": "1"})
    browser.post(address, {"segment": dated.segment_id, "off": "0"})
    told = [message for message in published(dated) if isinstance(message, BookingRemindersSwitched)]
    assert [(each.off, list(each.off_segment_ids)) for each in told] == [
        (False, [dated.segment_id]),
        (True, [dated.segment_id]),
        (True, []),
    ]


def test_only_the_own_agent_switches_and_only_her_segments(dated: CrmSite) -> None:
    switch = dated.deps.paying.reminders.switch
    with pytest.raises(NotFound):
        switch(dated.jonas, dated.booking.id, "", off=True)
    with pytest.raises(PermissionDenied):
        switch(dated.ada, dated.booking.id, "", off=True)
    with pytest.raises(NotFound):
        switch(dated.maya, dated.booking.id, "segment_of_another", off=True)


def test_the_log_says_what_was_sent_to_whom_and_each_sees_her_own(dated: CrmSite) -> None:
    tell(
        dated,
        settled(dated),
        settled(dated),
        settled(dated, "skipped_paid", reminder_id="reminder_2", kind="final_payment", due_on="2027-02-20"),
        settled(dated, "failed", reminder_id="reminder_3", due_on="2026-12-13", reason="No such mailbox."),
    )
    log = dated.deps.paying.reminder_log.page
    assert [entry.outcome for entry in log(dated.maya, LogFilter(sent=True), 1).items] == [Outcome.SENT]
    assert log(dated.ada, LogFilter(), 1).total == 3
    assert log(dated.jonas, LogFilter(), 1).total == 0
    browser = dated.signed_in(dated.maya)
    shown = text_of(browser.get("/reminders/log?sent=no"))
    assert "Not needed: paid" in shown
    assert "No such mailbox." in shown
    assert "Eleanor Whitcombe" in shown
    assert "Eleanor Whitcombe" in text_of(browser.get("/reminders"))
    assert browser.get("/reminders/log?sent=nonsense&page=-3").status_code == 200


def test_several_that_were_too_late_are_sent_at_once_after_a_page_that_names_them(dated: CrmSite) -> None:
    late, unpaid, sent, gone = (f"reminder_{letter * 26}" for letter in "abcd")
    tell(
        dated,
        settled(dated, "skipped_late", reminder_id=late),
        settled(dated, "skipped_no_address", reminder_id=unpaid, kind="final_payment", due_on="2027-02-20"),
        settled(dated, "sent", reminder_id=sent),
        settled(dated, "skipped_late", reminder_id=gone, due_on="2026-12-20"),
    )
    browser = dated.signed_in(dated.maya)
    assert browser.get("/reminders/log").text.count('name="pick"') == 3
    wanted = {"pick": [late, unpaid, sent, gone], "do": "send", "list": "sent=no"}
    asked = text_of(browser.post("/reminders/log/act", wanted))
    assert "Send 2 reminders to 1 client" in asked
    assert "2 others can’t leave" in asked
    assert sent_now(dated) == []
    for other in (dated.jonas, dated.ada):
        refused = dated.signed_in(other).post("/reminders/log/act", wanted | {"sure": "yes"})
        assert refused.status_code == 303
    assert sent_now(dated) == []
    told = text_of(browser.post("/reminders/log/act", wanted | {"sure": "yes"}))
    assert "2 reminders to 1 client" in told
    assert [event.due_on for event in sent_now(dated)] == ["2026-12-12", "2027-02-20"]
    assert browser.post("/reminders/log/act", {"do": "send"}).status_code == 303
    assert "Tick at least one reminder first." in browser.get("/reminders").text


def test_the_logs_csv_can_not_carry_a_formula(dated: CrmSite) -> None:
    tell(dated, settled(dated, subject='=HYPERLINK("http://evil.example")', recipient_name="@Evil"))
    table = dated.signed_in(dated.maya).get("/reminders/log.csv").text
    assert "'=HYPERLINK" in table
    assert "'@Evil" in table


def test_a_quote_or_a_trip_without_dates_has_no_reminders_part(site: CrmSite) -> None:
    assert 'id="reminders"' not in site.signed_in(site.maya).get(f"/bookings/{site.booking.id}").text


def test_a_date_that_has_passed_is_not_offered_to_be_switched(dated: CrmSite) -> None:
    dated.deps.paying.reminders.save(dated.ada, Scope.AGENCY, RULE, version=0)
    dated.clock.advance(timedelta(days=18))
    browser = dated.signed_in(dated.maya)
    shown = text_of(browser.get(f"/bookings/{dated.booking.id}"))
    assert "Date has passed" in shown


def test_both_kinds_have_a_text_to_start_from(site: CrmSite) -> None:
    browser = site.signed_in(site.ada)
    for kind, data in DEFAULTS.items():
        assert data.subject in browser.get(f"/reminders/agency/{kind}").text
    assert browser.get("/reminders/agency/nonsense").status_code == 404
