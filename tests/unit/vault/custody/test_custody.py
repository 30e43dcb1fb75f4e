"""Keeping, listing and destroying cards; and the sweep."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from chassis import errors
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.custody.rules import (
    CARD_MOVES,
    CVV_MOVES,
    LIVE_CARD,
    CardEvent,
    CardState,
    CvvEvent,
    CvvState,
    card_target,
    cvv_target,
)
from tests.support.vault_kit import AGENCY, AGENT, ORIGIN, Kit, key, make_kit


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = make_kit(tmp_path)
    yield kit
    kit.vault.close()


def test_removing_destroys_both_ciphertexts_and_says_so(kit: Kit) -> None:
    token = kit.store()
    assert None not in kit.ciphers(token)
    kit.remove(token)
    assert kit.ciphers(token) == (None, None)
    described = kit.describe(token)
    assert (described.state, described.cvv_state) == (pb.CARD_STATE_REMOVED, pb.CVV_STATE_PURGED)
    assert (described.brand, described.last4) == ("visa", "1111")
    assert kit.history(token) == ["card.stored", "card.removed"]


def test_removing_again_answers_the_same_time_and_is_noted_once(kit: Kit) -> None:
    token = kit.store()
    first = kit.remove(token)
    kit.fake_clock.advance(timedelta(hours=1))
    assert kit.remove(token) == first
    assert kit.history(token) == ["card.stored", "card.removed"]


def test_a_removal_needs_a_reason_and_a_card_that_exists(kit: Kit) -> None:
    request = pb.RemoveCardRequest(idempotency_key=key(), card_token=kit.store(), agent_id=AGENT)
    with pytest.raises(errors.InvalidArgument):
        kit.call("crm", kit.custody.RemoveCard, request)
    with pytest.raises(errors.NotFound):
        kit.remove("card_unknown")


def test_the_sweep_lapses_cards_and_purges_cvvs_in_their_time(kit: Kit) -> None:
    token = kit.store()
    assert kit.vault.sweep.run() == pb.PurgeExpiredResponse()
    kit.fake_clock.advance(timedelta(hours=72))
    assert kit.vault.sweep.run().cvvs_purged == 1
    assert kit.ciphers(token)[0] is not None
    assert kit.ciphers(token)[1] is None
    kit.fake_clock.advance(timedelta(days=27))
    assert kit.vault.sweep.run().cards_lapsed == 1
    assert kit.ciphers(token) == (None, None)
    assert kit.describe(token).state == pb.CARD_STATE_LAPSED
    assert kit.history(token) == ["card.stored", "cvv.purged", "card.lapsed"]
    assert kit.remove(token).removed_at == kit.describe(token).removed_at


def test_a_revealed_card_lapses_too_and_a_lapsed_one_reads_so_before_the_sweep(kit: Kit) -> None:
    token = kit.store()
    challenge, code = kit.request_reveal(token)
    kit.confirm(kit.frame().reveal(challenge, code))
    kit.fake_clock.advance(timedelta(days=30))
    assert kit.describe(token).state == pb.CARD_STATE_LAPSED
    with pytest.raises(errors.CardGone):
        kit.request_reveal(token)
    assert kit.vault.sweep.run().cards_lapsed == 1


def test_the_sweep_expires_codes_and_drops_kept_answers(kit: Kit) -> None:
    token, other = kit.store(), kit.store("payment_2")
    challenge, code = kit.request_reveal(token)
    kit.confirm(kit.frame().reveal(challenge, code))
    kit.request_reveal(other)
    kit.fake_clock.advance(timedelta(minutes=5))
    swept = kit.vault.sweep.run()
    assert (swept.challenges_expired, swept.answers_dropped) == (1, 1)
    with kit.vault.core.database.read() as session:
        answers = session.connection().exec_driver_sql("SELECT count(*) FROM grants WHERE answer IS NOT NULL").scalar()
    assert answers == 0


def test_nothing_is_overdue_after_a_sweep_at_any_moment(kit: Kit) -> None:
    for number in range(4):
        kit.store(f"payment_{number}", exp_year=2030)
        kit.fake_clock.advance(timedelta(days=9))
    for _ in range(8):
        kit.vault.sweep.run()
        now = kit.clock.now().replace(tzinfo=None)
        query = "SELECT count(*) FROM cards WHERE (cipher IS NOT NULL AND kept_until <= ?) OR "
        query += "(cvv_cipher IS NOT NULL AND cvv_kept_until <= ?)"
        with kit.vault.core.database.engine.connect() as connection:
            assert connection.exec_driver_sql(query, (str(now), str(now))).scalar() == 0
        kit.fake_clock.advance(timedelta(days=5))


def test_old_calls_slots_and_ended_codes_are_forgotten_after_a_day(kit: Kit) -> None:
    token = kit.store()
    kit.request_reveal(token)
    kit.fake_clock.advance(timedelta(days=1, hours=2))
    kit.vault.sweep.run()
    with kit.vault.core.database.engine.connect() as connection:
        for table in ("idempotency", "intakes", "grants"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0, table
    assert kit.history(token)[:2] == ["card.stored", "challenge.sent"]


def test_every_event_leads_to_one_state_and_dead_states_lead_nowhere() -> None:
    assert [card_target(event) for event in CardEvent]
    assert [cvv_target(event) for event in CvvEvent]
    dead = set(CardState) - LIVE_CARD
    assert not [move for move in CARD_MOVES if move[0] in dead]
    shown_again = [move for move in CVV_MOVES if move == (CvvState.SHOWN, CvvEvent.SHOW)]
    assert not shown_again
    assert [state for state, event in CARD_MOVES if event is CardEvent.REVEAL] == [CardState.STORED]


def _keyed(kit: Kit, session: str, payment: str = "payment_keyed") -> str:
    request = pb.OpenIntakeRequest(
        idempotency_key=key(),
        agency_id=AGENCY,
        payment_id=payment,
        owner_agent_id=AGENT,
        kind=pb.INTAKE_KIND_CARD,
        card_retention_days=30,
        cvv_retention_hours=72,
        origin=ORIGIN,
        phone_session_id=session,
    )
    slot = kit.call("phone", kit.intake.OpenIntake, request)
    return str(kit.call("phone", kit.intake.StoreCard, kit.store_request(slot.intake_id)).card_token)


def _found(kit: Kit, session: str, agent: str = AGENT) -> pb.FindKeyedCardResponse:
    request = pb.FindKeyedCardRequest(phone_session_id=session, agent_id=agent)
    answer: pb.FindKeyedCardResponse = kit.call("crm", kit.custody.FindKeyedCard, request)
    return answer


def test_a_keyed_card_is_found_by_its_session_while_it_lives(kit: Kit) -> None:
    kit.store()
    token = _keyed(kit, "phone_1")
    found = _found(kit, "phone_1")
    assert (found.card_token, found.brand, found.last4) == (token, "visa", "1111")
    assert found.card_kept_until == kit.describe(token).card_kept_until
    assert found.cvv_kept_until == kit.describe(token).cvv_kept_until
    assert _found(kit, "phone_2") == pb.FindKeyedCardResponse()
    kit.remove(token)
    assert _found(kit, "phone_1") == pb.FindKeyedCardResponse()


def test_of_a_card_that_was_stored_twice_in_a_session_the_newer_is_found(kit: Kit) -> None:
    first, second = _keyed(kit, "phone_1"), _keyed(kit, "phone_1")
    assert _found(kit, "phone_1").card_token == second
    assert kit.describe(first).state == pb.CARD_STATE_REMOVED
    kit.fake_clock.advance(timedelta(days=30))
    assert _found(kit, "phone_1").card_token == ""


def test_a_keyed_card_is_found_for_its_owner_alone_and_who_else_asks_is_recorded(kit: Kit) -> None:
    token = _keyed(kit, "phone_1")
    with pytest.raises(errors.PermissionDenied):
        _found(kit, "phone_1", agent="agent_2")
    assert kit.history(token)[-1] == "access.refused:PERMISSION_DENIED"


def test_only_the_masker_names_a_phone_session(kit: Kit) -> None:
    with pytest.raises(errors.InvalidArgument):
        kit.open_intake(phone_session_id="phone_1")
