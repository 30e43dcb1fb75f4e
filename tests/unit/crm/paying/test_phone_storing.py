"""Nothing is half-stored: CRM or masker die after the vault stored a keyed card, before the CRM wrote it down."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument, NotFound, Unavailable
from protos.wayvault.events.v1.events_pb2 import EsignRequested, PaymentLinkRevoked, PaymentTakenByPhone
from services.crm.core.ports.vault import Removal
from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.rules import PaymentState
from services.crm.paying.phone.models import PhoneCallRow
from services.crm.paying.phone.rules import Result, Verdict, verdict
from services.crm.paying.phone.service import CallFilter
from tests.support.crm_paying import CrmHouse
from tests.unit.crm.paying.test_phone import BILLING, HOLDER, asked, phone, started


class Died(Exception):
    """The process that stored the card is no more."""


@pytest.fixture
def dying(crm: CrmHouse) -> CrmHouse:
    """The vault takes the card; then CRM or masker die."""

    def dies(session_id: str) -> None:
        crm.vault.hold_keyed(session_id)
        raise Died

    crm.masker.dies = dies
    return crm


def pressed(crm: CrmHouse, payment_id: str, session: int = 1) -> str:
    """*Store card*, over which the CRM dies; the masker forgets the session soon after."""
    call_id = started(crm, payment_id)
    with pytest.raises(Died):
        phone(crm).storing.finish(crm.maya, call_id, name="Grace Hopper", billing=BILLING)
    del crm.masker.sessions[f"phone_{session}"]
    return call_id


def settled(crm: CrmHouse) -> int:
    crm.clock.advance(timedelta(seconds=31))
    return phone(crm).storing.settle()


def kept(crm: CrmHouse, call_id: str) -> PhoneCallRow:
    with crm.deps.core.database.read() as session:
        row = session.get_one(PhoneCallRow, call_id)
        session.expunge(row)
        return row


def closed(crm: CrmHouse, payment_id: str) -> None:
    with crm.deps.core.database.transaction() as session:
        session.get_one(PaymentRow, payment_id).state = PaymentState.VOIDED


def results(crm: CrmHouse) -> list[Result | None]:
    return [call.result for call in phone(crm).calls(crm.maya, CallFilter())]


def test_a_card_that_the_crm_died_over_becomes_its_pending_payment(dying: CrmHouse) -> None:
    payment_id = dying.requested()
    pressed(dying, payment_id)
    assert dying.row(payment_id).state == PaymentState.REQUESTED
    assert phone(dying).storing.settle() == 0, "the answer may still be on its way"
    assert settled(dying) == 1
    payment = dying.deps.paying.book.get(dying.maya, payment_id)
    assert (payment.state, payment.by_phone) == (PaymentState.AUTHORIZED, True)
    assert (payment.card_words, payment.cardholder_name) == ("Visa ending in 4242", "Grace Hopper")
    assert payment.billing == BILLING
    assert [each.id for each in dying.deps.paying.book.pending(dying.maya)] == [payment_id]
    assert results(dying) == [Result.STORED]
    assert len(dying.events(EsignRequested)) == len(dying.events(PaymentLinkRevoked)) == 1
    assert settled(dying) == 0
    assert len(dying.events(PaymentTakenByPhone)) == 1


def test_what_the_agent_typed_is_kept_no_longer_than_it_is_needed(dying: CrmHouse) -> None:
    call_id = pressed(dying, asked(dying))
    assert "Hopper" in kept(dying, call_id).holder
    settled(dying)
    assert (kept(dying, call_id).holder, kept(dying, call_id).storing_at) == ("", None)


def test_the_page_of_a_masker_that_died_after_storing_goes_on_to_the_payment(dying: CrmHouse) -> None:
    payment_id = asked(dying)
    call_id = pressed(dying, payment_id)
    events = dying.browser(dying.maya).get(f"/phone/{call_id}/stream").text
    assert "event: stored" in events
    assert f"/payments/{payment_id}" in events
    assert results(dying) == [Result.STORED]


def test_while_it_is_not_known_whether_a_card_is_stored_nobody_says_that_it_is_not(dying: CrmHouse) -> None:
    payment_id = asked(dying)
    call_id = pressed(dying, payment_id)
    dying.vault.down = Unavailable()
    events = dying.browser(dying.maya).get(f"/phone/{call_id}/stream").text
    assert "Nothing was stored" not in events
    assert "will be known within a minute" in events
    with pytest.raises(Unavailable):
        settled(dying)
    dying.vault.down = None
    assert settled(dying) == 1
    assert dying.row(payment_id).state == PaymentState.AUTHORIZED
    assert results(dying) == [Result.STORED]


def test_store_card_pressed_again_after_the_masker_died_finds_the_card(dying: CrmHouse) -> None:
    payment_id = asked(dying)
    call_id = pressed(dying, payment_id)
    answer = dying.browser(dying.maya).send(f"/phone/{call_id}/finish", HOLDER)
    assert answer.get_json()["url"] == f"/payments/{payment_id}"
    assert phone(dying).storing.finish(dying.maya, call_id, name="Grace Hopper", billing=BILLING) == payment_id
    assert len(dying.events(PaymentTakenByPhone)) == 1


def test_a_card_of_a_session_that_the_agent_cancelled_meanwhile_is_destroyed(dying: CrmHouse) -> None:
    payment_id = asked(dying)
    call_id = pressed(dying, payment_id)
    phone(dying).cancel(dying.maya, call_id)
    settled(dying)
    assert dying.row(payment_id).state == PaymentState.REQUESTED
    assert dying.deps.paying.removals.carry_out() == 1
    assert dying.vault.removals == [("card_phone_1", Removal.VOIDED)]
    assert results(dying) == [Result.CANCELLED]


def test_a_card_for_a_payment_that_was_closed_meanwhile_is_destroyed(dying: CrmHouse) -> None:
    payment_id = asked(dying)
    pressed(dying, payment_id)
    closed(dying, payment_id)
    settled(dying)
    assert dying.deps.paying.removals.carry_out() == 1
    assert dying.vault.removals == [("card_phone_1", Removal.VOIDED)]


def test_a_payment_that_is_closed_while_its_card_is_stored_has_the_card_destroyed(crm: CrmHouse) -> None:
    payment_id = asked(crm)
    call_id = started(crm, payment_id)

    def meanwhile(session_id: str) -> None:
        crm.vault.hold_keyed(session_id)
        closed(crm, payment_id)

    crm.masker.dies = meanwhile
    with pytest.raises(InvalidArgument, match="The card is destroyed"):
        phone(crm).storing.finish(crm.maya, call_id, name="Grace Hopper", billing=BILLING)
    assert crm.deps.paying.removals.carry_out() == 1


def test_a_card_that_nobody_asked_to_store_is_destroyed(crm: CrmHouse) -> None:
    payment_id = asked(crm)
    started(crm, payment_id)
    crm.vault.hold_keyed("phone_1")
    crm.clock.advance(timedelta(hours=2))
    assert phone(crm).storing.settle() == 1
    assert crm.deps.paying.removals.carry_out() == 1
    assert crm.row(payment_id).state == PaymentState.REQUESTED


def test_of_two_sessions_the_later_ones_card_is_the_payments(dying: CrmHouse) -> None:
    payment_id = asked(dying)
    pressed(dying, payment_id)
    dying.clock.advance(timedelta(seconds=20))
    pressed(dying, payment_id, session=2)
    # As the vault does it: the newer card replaces the one before.
    dying.vault.cards["card_phone_1"].removed_at = dying.clock.now()
    dying.clock.advance(timedelta(seconds=11))
    phone(dying).storing.settle()
    assert dying.row(payment_id).state == PaymentState.REQUESTED
    settled(dying)
    assert dying.row(payment_id).card_token == "card_phone_2"


def test_a_card_waits_while_a_later_sessions_may_still_be_stored(dying: CrmHouse) -> None:
    payment_id = asked(dying)
    pressed(dying, payment_id)
    dying.clock.advance(timedelta(seconds=20))
    pressed(dying, payment_id, session=2)
    del dying.vault.keyed["phone_2"]
    dying.clock.advance(timedelta(seconds=11))
    phone(dying).storing.settle()
    assert dying.row(payment_id).state == PaymentState.REQUESTED
    settled(dying)
    settled(dying)
    assert dying.row(payment_id).card_token == "card_phone_1"


def test_what_was_pressed_in_vain_is_forgotten_and_can_be_pressed_again(crm: CrmHouse) -> None:
    payment_id = asked(crm)
    call_id = started(crm, payment_id)
    crm.masker.refuses = "The name has characters that can't be used."
    crm.browser(crm.maya).send(f"/phone/{call_id}/finish", HOLDER)
    assert settled(crm) == 1
    assert kept(crm, call_id).storing_at is None
    assert results(crm) == [None]
    crm.masker.refuses = ""
    assert phone(crm).storing.finish(crm.maya, call_id, name="Grace Hopper", billing=BILLING) == payment_id


def test_an_authorization_that_a_crm_died_over_is_mailed_by_the_worker(crm: CrmHouse) -> None:
    payment_id = asked(crm)
    call_id = started(crm, payment_id)
    phone(crm).storing.finish(crm.maya, call_id, name="Grace Hopper", billing=BILLING)
    with crm.deps.core.database.transaction() as session:
        session.get_one(PhoneCallRow, call_id).sign_request_id = ""
    assert settled(crm) == 1
    assert kept(crm, call_id).sign_request_id
    assert len(crm.events(EsignRequested)) == 1, "the same request, asked for again"


def test_a_session_that_is_gone_before_anything_was_stored_says_so(crm: CrmHouse) -> None:
    call_id = started(crm, asked(crm))
    crm.masker.sessions.clear()
    with pytest.raises(NotFound):
        phone(crm).storing.finish(crm.maya, call_id, name="Grace Hopper", billing=BILLING)
    settled(crm)
    assert "Nothing was stored" in crm.browser(crm.maya).get(f"/phone/{call_id}/stream").text


@given(pressed=st.booleans(), result=st.none() | st.sampled_from(Result), waits=st.booleans())
def test_a_card_counts_only_where_it_was_authorized_and_nobody_was_told_otherwise(
    pressed: bool, result: Result | None, waits: bool
) -> None:
    counts = verdict(pressed=pressed, result=result, waits=waits) is Verdict.COMPLETE
    assert counts == (pressed and waits and result in (None, Result.LOST, Result.STORED))
