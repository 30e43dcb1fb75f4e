"""What the CRM writes of reminders and what the notifier reads of them have the same names."""

from dataclasses import asdict, fields
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from chassis.reminder_words import TAGS, Words, tag_values
from services.crm.paying.reminders import rules as crm
from services.crm.trips.bookings.events import segment_snapshot
from services.crm.trips.bookings.rules import Instalment, SegmentData, SegmentDetail, SegmentKind
from services.notifier.reminders import rules as notifier
from services.notifier.reminders.dues import due_of

DAYS = st.sampled_from([date(2026, 12, 1), date(2027, 1, 15)])
AMOUNTS = st.integers(1, 900_00).map(lambda minor: Money(minor=minor, currency="USD"))


def test_the_page_explains_exactly_the_tags_that_are_filled() -> None:
    nothing = {field.name: "" for field in fields(Words)}
    filled = tag_values(
        Words(**nothing | {"deposit": None, "final": None, "balance": Money(minor=0, currency="USD")})  # type: ignore[arg-type]
    )
    assert list(filled) == list(TAGS)


def test_outcomes_have_the_same_names() -> None:
    open_states = {notifier.State.PLANNED, notifier.State.QUEUED}
    assert {outcome.value for outcome in crm.Outcome} == {
        state.value for state in notifier.State if state not in open_states
    }


def test_the_default_texts_use_only_tags_that_there_are() -> None:
    assert [crm.rule_errors(data) for data in crm.DEFAULTS.values()] == [{}, {}]
    assert all(asdict(data)["active"] is False for data in crm.DEFAULTS.values())


@given(
    deposit=AMOUNTS,
    deposit_on=DAYS,
    between=st.lists(st.builds(Instalment, amount=AMOUNTS, due_on=DAYS, id=st.uuids().map(str)), max_size=3),
    final=AMOUNTS,
    paid=st.integers(0, 1_500_00),
)
def test_what_is_due_of_one_kind_on_one_day_is_the_same_amount(
    deposit: Money, deposit_on: date, between: list[Instalment], final: Money, paid: int
) -> None:
    data = SegmentData(
        supplier_name="Aurora Cruises",
        kind=SegmentKind.CRUISE,
        deposit=deposit,
        deposit_due_on=deposit_on,
        instalments=tuple(between),
        final=final,
        final_due_on=date(2027, 4, 1),
    )
    segment = SegmentDetail(id="segment_1", booking_id="booking_1", data=data)
    for due in segment.dues:
        assert due.due_on is not None
        told = due_of(segment_snapshot(segment), crm.KIND_OF[due.kind], due.due_on, paid)
        assert told is not None
        assert crm.due_together(due, paid).minor == told.minor
