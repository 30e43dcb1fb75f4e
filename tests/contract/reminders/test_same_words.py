"""What the CRM writes of reminders and what the notifier reads of them have the same names."""

from dataclasses import asdict, fields

from chassis.money import Money
from chassis.reminder_words import TAGS, Words, tag_values
from services.crm.paying.reminders import rules as crm
from services.notifier.reminders import rules as notifier


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
