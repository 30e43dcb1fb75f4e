"""Processed, void, removed, lapsed (M7, M8, M11)."""

from datetime import timedelta

import pytest

from chassis.errors import InvalidArgument, NotFound, PermissionDenied, Unavailable
from protos.wayvault.events.v1.events_pb2 import (
    PaymentCardRemoved,
    PaymentLapsed,
    PaymentLapsing,
    PaymentLinkIssued,
    PaymentProcessed,
    PaymentVoided,
)
from services.crm.core.ports.vault import CardState, Removal
from services.crm.paying.closing.service import Closed
from services.crm.paying.payments.rules import PaymentState
from tests.support.crm_paying import ORIGIN, CrmHouse


def process(crm: CrmHouse, payment_id: str) -> Closed:
    return crm.deps.paying.closing.process(
        crm.maya, payment_id, confirmation="AUR-77812", note="Spoke to Ines.", origin=ORIGIN
    )


def void(crm: CrmHouse, payment_id: str, *, fresh_link: bool) -> Closed:
    return crm.deps.paying.closing.void(
        crm.maya, payment_id, reason="The price has changed", fresh_link=fresh_link, origin=ORIGIN
    )


def test_a_processed_payments_card_is_destroyed_and_told_once(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    process(crm, payment_id)
    process(crm, payment_id)
    assert crm.deps.paying.removals.carry_out() == 1
    assert crm.deps.paying.removals.carry_out() == 0
    assert crm.vault.removals == [(crm.row(payment_id).card_token, Removal.PROCESSED)]
    (processed,) = crm.events(PaymentProcessed)
    (removed,) = crm.events(PaymentCardRemoved)
    assert (processed.confirmation_number, processed.card_token) == ("AUR-77812", crm.row(payment_id).card_token)
    assert (removed.payment_id, removed.reason) == (payment_id, "processed")
    assert crm.deps.paying.book.pending(crm.maya) == []


def test_what_was_not_retrieved_can_not_be_processed(crm: CrmHouse) -> None:
    with pytest.raises(InvalidArgument, match="not been retrieved"):
        process(crm, crm.authorized())
    assert crm.events(PaymentProcessed) == []


def test_a_void_payment_with_a_fresh_link_asks_the_client_again_and_says_why(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    closed = void(crm, payment_id, fresh_link=True)
    again = void(crm, payment_id, fresh_link=True)
    assert closed == again
    (event,) = crm.events(PaymentVoided)
    assert (event.reason, event.fresh_link_follows) == ("The price has changed", True)
    issued = crm.events(PaymentLinkIssued)[-1]
    assert issued.replaces_payment_id == payment_id
    assert issued.context.payment_id == closed.new_payment_id != payment_id
    assert crm.letters.written[-1].data["void_reason"] == "The price has changed."
    fresh = crm.deps.paying.book.get(crm.maya, closed.new_payment_id)
    assert (fresh.state, fresh.replaces_payment_id) == (PaymentState.REQUESTED, payment_id)
    assert fresh.amount == crm.deps.paying.book.get(crm.maya, payment_id).amount


def test_a_resend_of_a_fresh_link_still_says_why(crm: CrmHouse) -> None:
    closed = void(crm, crm.retrieved(), fresh_link=True)
    link = crm.deps.paying.links.of_payment(closed.new_payment_id)
    assert link is not None
    crm.deps.paying.links.remind(crm.maya, link.id, issue=1)
    assert crm.letters.written[-1].data["void_reason"] == "The price has changed."


def test_a_void_payment_without_a_fresh_link_leaves_the_notice_to_the_notifier(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    assert void(crm, payment_id, fresh_link=False) == Closed(payment_id=payment_id)
    (event,) = crm.events(PaymentVoided)
    assert event.fresh_link_follows is False
    assert len(crm.events(PaymentLinkIssued)) == 1


def test_a_client_can_be_asked_again_after_a_plain_void_and_once_only(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    void(crm, payment_id, fresh_link=False)
    closing = crm.deps.paying.closing
    assert closing.ask_again(crm.maya, payment_id) == closing.ask_again(crm.maya, payment_id)
    assert len(crm.events(PaymentLinkIssued)) == 2


def test_with_the_vault_down_the_card_is_destroyed_as_soon_as_it_is_back(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    process(crm, payment_id)
    crm.vault.down = Unavailable()
    removals = crm.deps.paying.removals
    assert removals.carry_out() == 0
    status = removals.status_of(crm.row(payment_id).card_token or "")
    assert status is not None
    assert (status.tries, "Nothing was used up" in status.last_problem) == (1, True)
    assert removals.carry_out() == 0  # the pause is not over
    crm.vault.down = None
    crm.clock.advance(timedelta(seconds=2))
    assert removals.carry_out() == 1
    assert crm.row(payment_id).card_removed_at is not None


def test_two_workers_at_once_tell_of_a_removal_once(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    process(crm, payment_id)
    token = crm.row(payment_id).card_token or ""
    removals = crm.deps.paying.removals
    removals._done(token, crm.clock.now())
    removals._done(token, crm.clock.now())
    assert len(crm.events(PaymentCardRemoved)) == 1


def test_removing_by_hand_needs_the_typed_word_while_the_payment_is_open(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    removals = crm.deps.paying.removals
    with pytest.raises(InvalidArgument, match="type REMOVE"):
        removals.by_hand(crm.maya, payment_id, typed="", origin=ORIGIN)
    assert removals.by_hand(crm.maya, payment_id, typed="REMOVE", origin=ORIGIN) is True
    (event,) = crm.events(PaymentCardRemoved)
    assert event.reason == "by_hand"
    assert crm.row(payment_id).state == PaymentState.AUTHORIZED


def test_a_payment_whose_card_was_removed_by_hand_can_still_be_void(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    crm.deps.paying.removals.by_hand(crm.maya, payment_id, typed="REMOVE", origin=ORIGIN)
    void(crm, payment_id, fresh_link=True)
    assert crm.row(payment_id).state == PaymentState.VOIDED
    assert len(crm.events(PaymentCardRemoved)) == 1


def test_nobody_else_closes_a_payment(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    closing, removals = crm.deps.paying.closing, crm.deps.paying.removals
    for actor, refusal in ((crm.jonas, NotFound), (crm.ada, PermissionDenied)):
        with pytest.raises(refusal):
            closing.process(actor, payment_id, confirmation="x", note="", origin=ORIGIN)
        with pytest.raises(refusal):
            closing.void(actor, payment_id, reason="x", fresh_link=False, origin=ORIGIN)
        with pytest.raises(refusal):
            closing.ask_again(actor, payment_id)
        with pytest.raises(refusal):
            removals.by_hand(actor, payment_id, typed="REMOVE", origin=ORIGIN)
    assert crm.row(payment_id).state == PaymentState.RETRIEVED


def test_the_agent_is_warned_the_day_before_a_card_lapses_once(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    crm.clock.advance(timedelta(days=28))
    assert crm.deps.paying.lapses.warn() == 0
    crm.clock.advance(timedelta(days=1, hours=1))
    assert (crm.deps.paying.lapses.warn(), crm.deps.paying.lapses.warn()) == (1, 0)
    (event,) = crm.events(PaymentLapsing)
    assert event.context.payment_id == payment_id


def test_a_card_is_lapsed_when_the_vault_says_so(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    crm.clock.advance(timedelta(days=31))
    lapses = crm.deps.paying.lapses
    assert lapses.confirm() == 0  # the vault's sweep has not come by yet
    crm.vault.cards[crm.row(payment_id).card_token or ""].state = CardState.LAPSED
    assert (lapses.confirm(), lapses.confirm()) == (1, 0)
    assert len(crm.events(PaymentLapsed)) == 1
    assert crm.row(payment_id).state == PaymentState.LAPSED
    assert crm.deps.paying.closing.ask_again(crm.maya, payment_id).new_payment_id


def test_a_shown_payment_stays_the_agents_to_close_after_its_card_lapsed(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    crm.clock.advance(timedelta(days=31))
    crm.vault.cards[crm.row(payment_id).card_token or ""].state = CardState.LAPSED
    assert crm.deps.paying.lapses.confirm() == 1
    assert crm.row(payment_id).state == PaymentState.RETRIEVED
    process(crm, payment_id)
    assert crm.deps.paying.removals.carry_out() == 0


def test_with_the_vault_down_nothing_lapses(crm: CrmHouse) -> None:
    crm.authorized()
    crm.clock.advance(timedelta(days=31))
    crm.vault.down = Unavailable()
    assert crm.deps.paying.lapses.confirm() == 0
