"""When a reminder leaves, and whether: laws over every zone, moment and amount."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.reminder_words import ReminderKind
from services.notifier.reminders.rules import (
    CIVIL_HOUR,
    GRACE,
    SENDABLE,
    TRANSITIONS,
    Facts,
    Owed,
    Paid,
    PaymentStatus,
    State,
    balance_due,
    decide,
    is_paid,
    may,
    ripe_until,
    send_moment,
    status_after,
    zone_of,
)

NEW_YORK = ZoneInfo("America/New_York")
ZONES = st.sampled_from(sorted(name for name in available_timezones() if "/" in name)).map(ZoneInfo)
DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))
MOMENTS = DAYS.flatmap(lambda day: st.times().map(lambda hour: datetime.combine(day, hour, UTC)))
BEFORE = st.integers(0, 90)
HOURS = st.times().map(lambda found: found.replace(second=0, microsecond=0))
AMOUNT = st.one_of(st.none(), st.integers(0, 10**9))
SOME = st.integers(0, 10**9)
OWED = st.builds(Owed, price=AMOUNT, amount=SOME, until_then=SOME, scheduled=SOME)
PAID = st.integers(0, 10**9).flatmap(lambda total: st.builds(Paid, total=st.just(total), final=st.integers(0, total)))


def facts(**changed: object) -> Facts:
    known: dict[str, object] = {
        "kind": ReminderKind.PAYMENT_DUE,
        "counted_from": date(2026, 12, 1),
        "by_hand": False,
        "days_before": 7,
        "zone": NEW_YORK,
        "owed": Owed(price=4_000_00, amount=500_00, until_then=500_00, scheduled=4_000_00),
        "paid": Paid(),
        "cancelled": False,
        "has_address": True,
    }
    return Facts(**known | changed)  # type: ignore[arg-type]


def test_a_reminder_leaves_at_nine_in_the_morning_by_the_agencys_clock() -> None:
    assert send_moment(date(2026, 12, 1), 7, NEW_YORK) == datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
    assert send_moment(date(2026, 7, 1), 7, NEW_YORK) == datetime(2026, 6, 24, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sunday", "utc_hour"),
    [(date(2026, 3, 7), 14), (date(2026, 3, 8), 13), (date(2026, 10, 31), 13), (date(2026, 11, 1), 14)],
)
def test_it_stays_nine_on_both_sides_of_a_change_of_the_clock(sunday: date, utc_hour: int) -> None:
    assert send_moment(sunday + timedelta(days=3), 3, NEW_YORK) == datetime.combine(sunday, time(utc_hour), UTC)


def test_an_hour_that_spring_skips_still_comes_once_and_one_that_autumn_repeats_counts_the_first_time() -> None:
    skipped = send_moment(date(2026, 3, 8), 0, NEW_YORK, time(2, 30))
    assert skipped == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    repeated = send_moment(date(2026, 11, 1), 0, NEW_YORK, time(1, 30))
    assert repeated == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_where_a_whole_day_was_skipped_its_reminders_leave_on_the_next() -> None:
    apia = ZoneInfo("Pacific/Apia")
    assert send_moment(date(2011, 12, 30), 0, apia) == send_moment(date(2011, 12, 31), 0, apia)


@given(day=DAYS, before=BEFORE, zone=ZONES, hour=HOURS)
def test_the_clock_shows_at_least_the_hour_when_it_leaves(day: date, before: int, zone: ZoneInfo, hour: time) -> None:
    local = send_moment(day, before, zone, hour).astimezone(zone)
    assert local.replace(tzinfo=None) >= datetime.combine(day - timedelta(days=before), hour)


@given(day=DAYS, before=BEFORE, zone=ZONES, hour=HOURS)
def test_a_later_due_date_never_leaves_earlier(day: date, before: int, zone: ZoneInfo, hour: time) -> None:
    assert send_moment(day, before, zone, hour) <= send_moment(day + timedelta(days=1), before, zone, hour)


@given(now=MOMENTS, before=BEFORE, zone=ZONES, hour=HOURS, off=st.integers(-4, 4))
def test_ripe_are_exactly_the_due_dates_whose_moment_has_come(
    now: datetime, before: int, zone: ZoneInfo, hour: time, off: int
) -> None:
    last = ripe_until(now, before, zone, hour)
    due_on = last + timedelta(days=off)
    assert (due_on <= last) == (send_moment(due_on, before, zone, hour) <= now)


@given(now=MOMENTS, step=st.timedeltas(timedelta(0), timedelta(days=3)), before=BEFORE, zone=ZONES)
def test_what_is_ripe_stays_ripe_also_when_the_clock_is_put_back(
    now: datetime, step: timedelta, before: int, zone: ZoneInfo
) -> None:
    assert ripe_until(now, before, zone) <= ripe_until(now + step, before, zone)


@given(now=MOMENTS, kind=st.sampled_from(ReminderKind), owed=OWED, paid=PAID, day=DAYS)
def test_what_is_paid_is_never_sent(now: datetime, kind: ReminderKind, owed: Owed, paid: Paid, day: date) -> None:
    found = decide(facts(kind=kind, owed=owed, paid=paid, counted_from=day), now)
    assert not (is_paid(kind, owed, paid) and found is State.QUEUED)


@given(now=MOMENTS, day=DAYS, before=BEFORE, zone=ZONES)
def test_nothing_is_sent_before_its_time_too_late_or_after_the_due_date(
    now: datetime, day: date, before: int, zone: ZoneInfo
) -> None:
    moment = send_moment(day, before, zone)
    ripe = day <= ripe_until(now, before, zone)
    if ripe and decide(facts(counted_from=day, days_before=before, zone=zone), now) is State.QUEUED:
        assert moment <= now <= moment + GRACE
        assert now.astimezone(zone).date() <= day


@given(owed=OWED, paid=PAID, more=st.integers(0, 10**9))
def test_another_payment_never_makes_a_paid_date_unpaid_nor_the_balance_larger(
    owed: Owed, paid: Paid, more: int
) -> None:
    richer = Paid(total=paid.total + more, final=paid.final)
    for kind in ReminderKind:
        assert is_paid(kind, owed, richer) or not is_paid(kind, owed, paid)
    assert 0 <= balance_due(owed, richer) <= balance_due(owed, paid)


def test_a_final_payment_is_paid_by_all_together_or_by_final_payments_alone() -> None:
    owed = Owed(price=4_000_00, amount=3_500_00, until_then=4_000_00, scheduled=4_000_00)
    assert not is_paid(ReminderKind.FINAL_PAYMENT, owed, Paid(total=3_500_00))
    assert is_paid(ReminderKind.FINAL_PAYMENT, owed, Paid(total=4_000_00))
    assert is_paid(ReminderKind.FINAL_PAYMENT, owed, Paid(total=3_500_00, final=3_500_00))


def test_the_reason_that_matters_most_is_the_one_that_is_logged() -> None:
    late = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
    assert decide(facts(cancelled=True, paid=Paid(total=500_00)), late) is State.SKIPPED_CANCELLED
    assert decide(facts(paid=Paid(total=500_00)), late) is State.SKIPPED_PAID
    assert decide(facts(has_address=False), late) is State.SKIPPED_LATE
    on_time = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
    assert decide(facts(has_address=False), on_time) is State.SKIPPED_NO_ADDRESS
    assert decide(facts(), on_time) is State.QUEUED


def test_a_reminder_on_the_due_date_itself_does_not_leave_a_day_late() -> None:
    next_morning = datetime(2026, 12, 2, 14, 30, tzinfo=UTC)
    assert decide(facts(days_before=0), next_morning) is State.SKIPPED_LATE


@given(words=st.lists(st.sampled_from(PaymentStatus), min_size=1, max_size=6), order=st.randoms())
def test_the_portals_word_of_an_authorization_never_undoes_what_the_crm_said_last(
    words: list[PaymentStatus], order: object
) -> None:
    known: PaymentStatus | None = None
    for heard in words:
        known = status_after(known, heard)
    last = [heard for heard in words if heard is not PaymentStatus.AUTHORIZED]
    if PaymentStatus.REVERSED in words:
        assert known is PaymentStatus.REVERSED
    else:
        assert known is (last[0] if last else PaymentStatus.AUTHORIZED)


def test_every_state_says_what_may_follow_and_an_end_is_an_end() -> None:
    assert set(TRANSITIONS) == set(State)
    ends = {state for state, following in TRANSITIONS.items() if not following}
    assert ends == set(State) - {State.QUEUED} - SENDABLE
    assert not may(State.SENT, State.QUEUED)


@pytest.mark.parametrize("name", ["", "Nowhere/At_all", "../etc/passwd", "x" * 400])
def test_an_unknown_zone_is_taken_for_utc(name: str) -> None:
    assert send_moment(date(2026, 1, 2), 0, zone_of(name)) == datetime.combine(date(2026, 1, 2), CIVIL_HOUR, UTC)


def test_what_the_agent_sends_herself_is_never_too_late_but_still_not_sent_when_it_is_paid() -> None:
    long_after = datetime(2027, 2, 1, 14, 30, tzinfo=UTC)
    assert decide(facts(by_hand=True), long_after) is State.QUEUED
    assert decide(facts(by_hand=True, paid=Paid(total=500_00)), long_after) is State.SKIPPED_PAID


def test_a_rule_that_counts_from_travel_is_never_ripe_without_a_first_day() -> None:
    assert decide(facts(counted_from=None), datetime(2026, 11, 24, 15, 0, tzinfo=UTC)) is State.SKIPPED_LATE
