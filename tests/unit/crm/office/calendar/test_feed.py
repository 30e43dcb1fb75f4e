"""A calendar that others subscribe to: whose days it shows, who may read it, and what is told of changes."""

from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, Component
from sqlalchemy import select

from chassis.errors import NotFound
from chassis.former_days import CalendarDay
from chassis.ids import token_sha256
from services.crm.access.activity.service import Act, ActivityFilter
from services.crm.access.agency.service import AgentData
from services.crm.app import create_app
from services.crm.core.days import DayKind, DayLine
from services.crm.office.calendar.entries import AHEAD, BACK, Told, tell
from services.crm.office.calendar.feeds import READS_PER_SPAN, SPAN
from services.crm.office.calendar.models import CalendarFeedRow
from services.crm.office.calendar.rules import Day
from tests.support.crm_paying import CrmHouse

TODAY = date(2026, 12, 1)
_steps = st.lists(st.sets(st.integers(-3, 12), max_size=6), min_size=1, max_size=8)


def _events(browser: FlaskClient, address: str) -> dict[str, Component]:
    answer = browser.get(address)
    assert answer.status_code == 200
    return {str(event["summary"]): event for event in Calendar.from_ical(answer.data).walk("VEVENT")}


def _outside(crm: CrmHouse) -> FlaskClient:
    """A program without a session."""
    return create_app(crm.deps).test_client()


def _address(crm: CrmHouse) -> str:
    return f"/calendar/feed/{crm.deps.office.feeds.renew(crm.maya)}.ics"


def _told(days: set[int], first: date, before: Told | None) -> Told:
    lines = [
        DayLine(on=on, kind=DayKind.TASK, thing_id=f"task_{number}", title="Call", detail="", agent_id="agent_1")
        for number in sorted(days)
        if (on := TODAY + timedelta(days=number)) >= first
    ]
    shown = [Day(on=line.on, lines=[line], counts={line.kind: 1}) for line in lines]
    known: tuple[tuple[CalendarDay, ...], ...] = (before.present, before.gone) if before else ((), ())
    last = (before.digest, before.sequence) if before else ("", 0)
    return tell(shown, first, told=known[0], gone=known[1], last=last)


@given(_steps)
def test_whatever_changes_a_subscriber_has_what_is_there_and_nothing_that_is_gone(steps: list[set[int]]) -> None:
    """A calendar that keeps what it was told, and takes an entry away only when it is told that it was cancelled."""
    kept: dict[str, int] = {}
    before: Told | None = None
    for number, days in enumerate(steps):
        first = TODAY + timedelta(days=number)
        told = _told(days, first, before)
        for entry in told.entries:
            assert entry.sequence >= kept.get(entry.uid, 0)
            kept[entry.uid] = entry.sequence
            if entry.status == "CANCELLED":
                del kept[entry.uid]
        ahead = {uid for uid in kept if uid.rpartition("@")[0][-10:] >= first.isoformat()}
        assert ahead == {day.uid for day in told.present}
        assert (told.sequence == before.sequence) is (told.digest == before.digest) if before else told.sequence == 1
        assert _told(days, first, told).sequence == told.sequence
        before = told


def test_another_calendar_reads_the_agents_own_days_and_no_others(crm: CrmHouse) -> None:
    crm.deps.sales.tasks.add(crm.maya, crm.alan_id, "Call about the cabin", TODAY)
    crm.deps.sales.tasks.add(crm.maya, crm.alan_id, "Long ago", TODAY - BACK - timedelta(days=40))
    crm.deps.sales.tasks.add(crm.maya, crm.alan_id, "Far away", TODAY + AHEAD + timedelta(days=40))
    outside = _outside(crm)
    shown = _events(outside, _address(crm))
    assert "To do: Call about the cabin" in shown
    assert not {"To do: Long ago", "To do: Far away"} & set(shown)
    for other in (crm.jonas, crm.ada):
        theirs = _events(outside, f"/calendar/feed/{crm.deps.office.feeds.renew(other)}.ics")
        assert "To do: Call about the cabin" not in theirs


def test_what_was_done_goes_out_as_cancelled_and_what_did_not_change_is_not_sent_again(crm: CrmHouse) -> None:
    task = crm.deps.sales.tasks.add(crm.maya, crm.alan_id, "Call about the cabin", TODAY)
    outside, address = _outside(crm), _address(crm)
    first = outside.get(address)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H" in first.data
    again = outside.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert outside.get(address).data == first.data
    before = _events(outside, address)["To do: Call about the cabin"]
    crm.deps.sales.tasks.done(crm.maya, task.id)
    after = _events(outside, address)["Cancelled: To do: Call about the cabin"]
    assert (before["STATUS"], after["STATUS"]) == ("CONFIRMED", "CANCELLED")
    assert after["UID"] == before["UID"]
    assert int(str(after["SEQUENCE"])) > int(str(before["SEQUENCE"]))
    assert outside.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200
    crm.deps.sales.tasks.undo(crm.maya, task.id)
    assert _events(outside, address)["To do: Call about the cabin"]["STATUS"] == "CONFIRMED"


def test_an_address_ends_when_it_is_replaced_ended_or_its_agent_is_no_longer_active(crm: CrmHouse) -> None:
    browser, outside = crm.browser(crm.maya), _outside(crm)
    old = _address(crm)
    page = browser.post("/calendar/subscribe")
    assert "Shown once." in page.text
    (fresh,) = {part for part in page.text.split('"') if "/calendar/feed/" in part and part.startswith("http:")}
    path = fresh.removeprefix(crm.deps.core.settings.public_url)
    assert outside.get(old).status_code == 404
    assert outside.get(path).status_code == 200
    assert path not in browser.get("/calendar/subscribe").text
    agent = crm.deps.access.directory.agent(crm.maya.agent_id)
    left = AgentData(name=agent.name, email=agent.email, active=False)
    gone = crm.deps.access.directory.change_agent(crm.ada, agent.id, left, version=agent.version)
    assert outside.get(path).status_code == 404
    back = AgentData(name=agent.name, email=agent.email)
    crm.deps.access.directory.change_agent(crm.ada, agent.id, back, version=gone.version)
    assert outside.get(path).status_code == 200
    assert browser.post("/calendar/subscribe/end").status_code == 303
    assert outside.get(path).status_code == 404
    acts = {each.act for each in crm.deps.access.activities.page(crm.ada, ActivityFilter()).items}
    assert {Act.CALENDAR_ADDRESS_ENDED, Act.CALENDAR_ADDRESS_MADE} <= acts


def test_a_reader_that_has_it_already_is_told_so_in_every_way_of_asking(crm: CrmHouse) -> None:
    outside, address = _outside(crm), _address(crm)
    first = outside.get(address)
    tag = first.headers["ETag"]
    # A proxy that packs the answer makes the tag a weak one (RFC 9110, 8.8.3.3 and 13.1.2).
    for asked in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = outside.get(address, headers={"If-None-Match": asked})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    for asked in ('"other"', 'W/"other"', "", tag.strip('"')[:-1]):
        assert outside.get(address, headers={"If-None-Match": asked}).status_code == 200
    head = outside.head(address)
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", tag)
    assert head.headers["Content-Type"] == first.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert "Set-Cookie" not in first.headers
    for method in ("post", "put", "delete"):
        assert outside.open(address, method=method.upper()).status_code in (400, 405)
    for changed in (address.removesuffix(".ics"), f"{address}/"):
        assert outside.get(changed).headers["Location"] == address


def test_a_new_address_counts_on_where_the_one_before_ended(crm: CrmHouse) -> None:
    task = crm.deps.sales.tasks.add(crm.maya, crm.alan_id, "Call about the cabin", TODAY)
    outside, name = _outside(crm), "To do: Call about the cabin"
    address = _address(crm)
    outside.get(address)
    crm.deps.sales.tasks.done(crm.maya, task.id)
    before = _events(outside, address)[f"Cancelled: {name}"]
    crm.deps.sales.tasks.undo(crm.maya, task.id)
    after = _events(outside, _address(crm))[name]
    assert after["UID"] == before["UID"]
    assert (after["STATUS"], int(str(after["SEQUENCE"])) > int(str(before["SEQUENCE"]))) == ("CONFIRMED", True)


def test_an_address_that_is_read_too_often_rests(crm: CrmHouse) -> None:
    feeds, address = crm.deps.office.feeds, _address(crm)
    token = address.rpartition("/")[2].removesuffix(".ics")
    for _ in range(READS_PER_SPAN):
        feeds.read(token, "Calendar/1.0")
    refused = _outside(crm).get(address)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= SPAN.total_seconds() + 1
    crm.clock.advance(SPAN)
    assert _outside(crm).get(address).status_code == 200


def test_no_secret_is_no_calendar_and_no_secret_is_kept(crm: CrmHouse) -> None:
    with pytest.raises(NotFound):
        crm.deps.office.feeds.read("A" * 43, "Calendar/1.0")
    lost = _outside(crm).get("/calendar/feed/cut%20off", follow_redirects=True)
    assert lost.status_code == 404
    assert "A part of this calendar&#39;s address is missing" in lost.text
    assert "make a new address" in lost.text
    token = crm.deps.office.feeds.renew(crm.maya)
    with crm.deps.core.database.read() as session:
        kept = session.scalars(select(CalendarFeedRow.token_sha256)).all()
    assert kept == [token_sha256(token)]
