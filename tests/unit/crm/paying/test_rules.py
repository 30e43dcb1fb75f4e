"""The laws of payments and links."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from services.crm.paying.card_removal.rules import REMOVAL_PAUSES, may_remove, pause_before_try
from services.crm.paying.closing.rules import may_ask_again, may_process, may_void
from services.crm.paying.payments.rules import (
    CLOSED,
    ENDED,
    PENDING,
    STARTS,
    TRANSITIONS,
    Allowed,
    Counted,
    Fact,
    PaymentState,
    PaymentType,
    Refused,
    after,
    balance,
    lapse_warning_due,
    overpaid_by,
)
from services.crm.paying.reveal.rules import Step, step_of

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
states = st.sampled_from(PaymentState)
facts = st.lists(st.sampled_from(Fact), max_size=12)
amounts = st.integers(min_value=0, max_value=10**9)


def run(state: PaymentState, happened: list[Fact]) -> list[PaymentState]:
    path = [state]
    for fact in happened:
        following = after(path[-1], fact)
        if following is not None:
            path.append(following)
    return path


@given(facts)
def test_no_payment_is_processed_whose_card_was_neither_retrieved_nor_charged_here(happened: list[Fact]) -> None:
    path = run(PaymentState.REQUESTED, happened)
    if PaymentState.PROCESSED in path and Fact.CHARGED not in happened:
        assert PaymentState.RETRIEVED in path[: path.index(PaymentState.PROCESSED)]


@given(facts)
def test_a_card_is_retrieved_at_most_once(happened: list[Fact]) -> None:
    path = run(PaymentState.REQUESTED, happened)
    assert path.count(PaymentState.RETRIEVED) <= 1


@given(st.sampled_from(sorted(ENDED)), facts)
def test_what_has_ended_stays_ended_unless_its_refund_comes_back(state: PaymentState, happened: list[Fact]) -> None:
    happened = [fact for fact in happened if (state, fact) != (PaymentState.REVERSED, Fact.REFUND_FAILED)]
    assert run(state, happened) == [state]


@given(facts)
def test_a_card_that_was_shown_is_never_simply_lapsed_expired_or_revoked(happened: list[Fact]) -> None:
    path = run(PaymentState.REQUESTED, happened)
    if PaymentState.RETRIEVED in path:
        later = set(path[path.index(PaymentState.RETRIEVED) :])
        assert later <= {PaymentState.RETRIEVED, PaymentState.PROCESSED, PaymentState.VOIDED, PaymentState.REVERSED}


def test_an_authorization_that_the_client_saw_accepted_always_arrives() -> None:
    past = {PaymentState.RETRIEVED, PaymentState.PROCESSED, PaymentState.REPORTED}
    before = [state for state in PaymentState if state not in ENDED | past]
    assert all(after(state, Fact.AUTHORIZED) is PaymentState.AUTHORIZED for state in before)


def test_every_state_can_be_reached() -> None:
    assert {*STARTS, *TRANSITIONS.values()} == set(PaymentState)


@given(states)
def test_only_a_retrieved_payment_may_be_processed(state: PaymentState) -> None:
    assert isinstance(may_process(state), Allowed) == (state is PaymentState.RETRIEVED)


@given(states)
def test_a_payment_is_void_by_hand_only_while_it_is_pending(state: PaymentState) -> None:
    assert isinstance(may_void(state), Allowed) == (state in PENDING)


@given(states)
def test_every_refusal_says_why_in_a_sentence(state: PaymentState) -> None:
    for decision in (may_process(state), may_void(state), may_ask_again(state)):
        if isinstance(decision, Refused):
            assert decision.why.endswith((".", "!"))


@given(states, st.text(max_size=8))
def test_a_card_of_an_open_payment_is_removed_only_by_the_typed_word(state: PaymentState, typed: str) -> None:
    allowed = isinstance(may_remove(state, card_held=True, typed=typed), Allowed)
    assert allowed == (state in CLOSED or typed.strip() == "REMOVE")


def test_the_typed_word_removes_the_card_of_an_open_payment() -> None:
    assert isinstance(may_remove(PaymentState.AUTHORIZED, card_held=True, typed=" REMOVE "), Allowed)


def test_without_a_card_there_is_nothing_to_remove() -> None:
    assert isinstance(may_remove(PaymentState.PROCESSED, card_held=False, typed="REMOVE"), Refused)


@given(st.integers(min_value=1, max_value=1000))
def test_pauses_between_tries_grow_and_stay_bounded(tries: int) -> None:
    assert pause_before_try(tries) <= pause_before_try(tries + 1) <= REMOVAL_PAUSES[-1]


@given(states, st.integers(min_value=-100, max_value=100), st.booleans())
def test_a_lapse_is_warned_about_once_on_the_day_before(state: PaymentState, hours: int, warned: bool) -> None:
    due = lapse_warning_due(
        state=state, card_kept_until=NOW + timedelta(hours=hours), warned_at=NOW if warned else None, now=NOW
    )
    assert due == (state in PENDING and 0 < hours <= 24 and not warned)


@given(amounts, st.lists(st.tuples(states, st.sampled_from(PaymentType), amounts), max_size=8))
def test_a_balance_never_owes_less_than_nothing_and_counts_each_payment_once(
    price: int, payments: list[tuple[PaymentState, PaymentType, int]]
) -> None:
    counted = [Counted(state=state, type=kind, amount=usd(minor)) for state, kind, minor in payments]
    standing = balance(usd(price), counted, "USD")
    own = [p for p in counted if p.type is not PaymentType.SERVICE_FEE]
    processed = sum(p.amount.minor for p in own if p.state is PaymentState.PROCESSED)
    assert standing.processed.minor == processed
    assert standing.due is not None
    assert standing.due.minor == max(0, price - processed)
    live = PENDING | {PaymentState.SCHEDULED, PaymentState.REQUESTED, PaymentState.OPENED, PaymentState.PROCESSED}
    assert standing.promised.minor == sum(p.amount.minor for p in own if p.state in live)


@given(amounts, amounts)
def test_overpayment_is_what_goes_over_the_price(price: int, more: int) -> None:
    standing = balance(usd(price), [], "USD")
    excess = overpaid_by(standing, usd(more))
    assert (excess.minor if excess else 0) == max(0, more - price)


def test_a_payment_in_another_currency_is_left_out_of_the_balance() -> None:
    foreign = Counted(state=PaymentState.PROCESSED, type=PaymentType.FINAL, amount=Money(minor=5, currency="EUR"))
    assert balance(usd(100), [foreign], "USD").processed.minor == 0


def test_a_reloaded_page_stands_after_the_card_never_before_it() -> None:
    assert step_of(PaymentState.RETRIEVED, cvv_held=True) is Step.CVV
    assert step_of(PaymentState.RETRIEVED, cvv_held=False) is Step.CLOSE
    assert step_of(PaymentState.AUTHORIZED, cvv_held=True) is Step.SUPPLIER_READY
    assert step_of(PaymentState.REQUESTED, cvv_held=False) is None


def usd(minor: int) -> Money:
    return Money(minor=minor, currency="USD")
