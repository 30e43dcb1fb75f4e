"""The CRM's preview and the notifier's mail say the same: they can't share code, so they are compared."""

from dataclasses import asdict, fields

from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from services.crm.paying.reminders import rules as crm
from services.notifier.reminders import rules as notifier

TEXT = st.text(max_size=20)
MONEY = st.builds(Money, minor=st.integers(0, 10**9), currency=st.sampled_from(["USD", "EUR", "JPY"]))
MAYBE = st.one_of(st.none(), MONEY.filter(lambda amount: amount.minor > 0))


@st.composite
def words(draw: st.DrawFn) -> crm.Words:
    given_texts = {
        field.name: draw(TEXT) for field in fields(crm.Words) if field.name not in ("deposit", "final", "balance")
    }
    return crm.Words(**given_texts, deposit=draw(MAYBE), final=draw(MAYBE), balance=draw(MONEY))


@given(words())
def test_every_tag_has_the_same_text_in_the_preview_and_in_the_mail(shown: crm.Words) -> None:
    sent = notifier.Words(**{field.name: getattr(shown, field.name) for field in fields(crm.Words)})
    assert crm.tag_values(shown) == notifier.tag_values(sent)


def test_the_page_explains_exactly_the_tags_that_are_filled() -> None:
    nothing = {field.name: "" for field in fields(crm.Words)}
    filled = crm.tag_values(
        crm.Words(**nothing | {"deposit": None, "final": None, "balance": Money(minor=0, currency="USD")})  # type: ignore[arg-type]
    )
    assert list(filled) == list(crm.TAGS)


def test_kinds_and_outcomes_have_the_same_names() -> None:
    assert [kind.value for kind in crm.ReminderKind] == [kind.value for kind in notifier.Kind]
    open_states = {notifier.State.PLANNED, notifier.State.QUEUED}
    assert {outcome.value for outcome in crm.Outcome} == {
        state.value for state in notifier.State if state not in open_states
    }


def test_the_default_texts_use_only_tags_that_there_are() -> None:
    assert [crm.rule_errors(data) for data in crm.DEFAULTS.values()] == [{}, {}]
    assert all(asdict(data)["active"] is False for data in crm.DEFAULTS.values())
