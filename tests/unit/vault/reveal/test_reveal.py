"""Showing a card, and a CVV: once, to one recipient key, to its owner."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from chassis import errors
from protos.wayvault.vault.v1 import vault_pb2 as pb
from tests.support.vault_kit import AGENT, OTHER_AGENT, VISA, Kit, key, make_kit


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = make_kit(tmp_path)
    yield kit
    kit.vault.close()


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08d}"


def test_the_card_is_shown_to_the_frame_that_typed_the_code(kit: Kit) -> None:
    token = kit.store()
    challenge, code = kit.request_reveal(token)
    frame = kit.frame()
    answer = kit.confirm(frame.reveal(challenge, code))
    assert frame.opened(answer.sealed_answer, "wv-card+jwe") == {
        "pan": VISA,
        "exp_month": 12,
        "exp_year": 2028,
        "name": "Grace Hopper",
        "brand": "visa",
    }
    assert answer.card_token == token
    assert kit.describe(token).state == pb.CARD_STATE_REVEALED
    assert kit.history(token) == ["card.stored", "challenge.sent", "card.revealed"]


def test_a_code_letter_goes_to_the_enrolled_address_and_says_what_it_is_for(kit: Kit) -> None:
    token = kit.store()
    request = pb.RequestRevealRequest(idempotency_key=key(), card_token=token, agent_id=AGENT, purpose="Aurora")
    answer = kit.call("crm", kit.reveal.RequestReveal, request)
    letter = kit.letter(answer.sealed_mail)
    assert letter.template == "reveal_code"
    assert letter.to == f"{AGENT}@harbour.example"
    assert letter.data["purpose"] == "Aurora"
    assert letter.data["last4"] == "1111"
    assert len(letter.data["code"]) == 8
    assert letter.data["code"].isdigit()
    assert answer.address_hint == "a***@harbour.example"


def test_the_same_frame_gets_the_same_answer_again_and_another_key_never_does(kit: Kit) -> None:
    challenge, code = kit.request_reveal(kit.store())
    frame = kit.frame()
    first = kit.confirm(frame.reveal(challenge, code))
    again = kit.confirm(frame.reveal(challenge, code))
    assert again == first
    with pytest.raises(errors.AlreadyRevealed):
        kit.confirm(kit.frame().reveal(challenge, code))
    kit.fake_clock.advance(timedelta(seconds=121))
    with pytest.raises(errors.AlreadyRevealed):
        kit.confirm(frame.reveal(challenge, code))


def test_a_second_challenge_after_the_reveal_is_refused(kit: Kit) -> None:
    token = kit.store()
    challenge, code = kit.request_reveal(token)
    kit.confirm(kit.frame().reveal(challenge, code))
    with pytest.raises(errors.AlreadyRevealed):
        kit.request_reveal(token)
    assert kit.history(token)[-1] == "challenge.refused:ALREADY_REVEALED"


def test_five_wrong_codes_lock_the_challenge_even_for_the_right_one(kit: Kit) -> None:
    token = kit.store()
    challenge, code = kit.request_reveal(token)
    frame = kit.frame()
    for left in (4, 3, 2, 1):
        with pytest.raises(errors.CodeWrong) as caught:
            kit.confirm(frame.reveal(challenge, wrong(code)))
        assert caught.value.attempts_left == left
    with pytest.raises(errors.CodeLocked):
        kit.confirm(frame.reveal(challenge, wrong(code)))
    with pytest.raises(errors.CodeLocked):
        kit.confirm(frame.reveal(challenge, code))
    assert kit.history(token)[2:6] == ["code.refused:CODE_WRONG"] * 4
    assert kit.describe(token).state == pb.CARD_STATE_STORED
    challenge, code = kit.request_reveal(token)
    assert kit.confirm(frame.reveal(challenge, code)).sealed_answer


def test_a_code_dies_after_five_minutes_and_when_a_newer_one_is_sent(kit: Kit) -> None:
    token = kit.store()
    old, old_code = kit.request_reveal(token)
    new, new_code = kit.request_reveal(token)
    with pytest.raises(errors.CodeExpired):
        kit.confirm(kit.frame().reveal(old, old_code))
    kit.fake_clock.advance(timedelta(minutes=5))
    with pytest.raises(errors.CodeExpired):
        kit.confirm(kit.frame().reveal(new, new_code))


def test_three_codes_an_hour_and_card_whatever_they_are_for(kit: Kit) -> None:
    token, other = kit.store(), kit.store("payment_2")
    kit.request_reveal(token)
    kit.request_cvv(token)
    kit.request_reveal(token)
    with pytest.raises(errors.TooManyChallenges):
        kit.request_cvv(token)
    kit.request_reveal(other)
    kit.fake_clock.advance(timedelta(hours=1, seconds=1))
    kit.request_cvv(token)


def test_a_code_is_bound_to_its_challenge_agent_and_card(kit: Kit) -> None:
    token, other = kit.store(), kit.store("payment_2")
    challenge, code = kit.request_reveal(token)
    others_challenge, _ = kit.request_reveal(other)
    with pytest.raises(errors.CodeWrong):
        kit.confirm(kit.frame().reveal(others_challenge, code))
    with pytest.raises(errors.PermissionDenied):
        kit.confirm(kit.frame().reveal(challenge, code), agent=OTHER_AGENT)
    assert "reveal.refused:PERMISSION_DENIED" in kit.history(token)
    with pytest.raises(errors.NotFound):
        kit.confirm_cvv(kit.frame().cvv_confirm(challenge, code))


def test_another_agent_can_neither_ask_nor_look_nor_remove(kit: Kit) -> None:
    token = kit.store()
    attempts = (
        lambda: kit.request_reveal(token, agent=OTHER_AGENT),
        lambda: kit.request_cvv(token, agent=OTHER_AGENT),
        lambda: kit.describe(token, agent=OTHER_AGENT),
        lambda: kit.remove(token, agent=OTHER_AGENT),
    )
    for attempt in attempts:
        with pytest.raises(errors.PermissionDenied):
            attempt()
    assert kit.history(token)[1:] == [
        "challenge.refused:PERMISSION_DENIED",
        "challenge.refused:PERMISSION_DENIED",
        "access.refused:PERMISSION_DENIED",
        "removal.refused:PERMISSION_DENIED",
    ]


def test_an_agent_who_is_not_enrolled_gets_no_code(kit: Kit) -> None:
    intake_id = kit.open_intake(owner_agent_id="agent_nobody")
    request = pb.StoreCardRequest(idempotency_key=key(), intake_id=intake_id, sealed_card=kit.frame().card(intake_id))
    token = kit.call("portal", kit.intake.StoreCard, request).card_token
    with pytest.raises(errors.AgentUnknown):
        kit.request_reveal(token, agent="agent_nobody")


def test_the_same_request_for_a_code_sends_one_code(kit: Kit) -> None:
    token = kit.store()
    request = pb.RequestRevealRequest(idempotency_key=key(), card_token=token, agent_id=AGENT, purpose="Aurora")
    first = kit.call("crm", kit.reveal.RequestReveal, request)
    assert kit.call("crm", kit.reveal.RequestReveal, request) == first
    request.purpose = "Something else"
    with pytest.raises(errors.IdempotencyMismatch):
        kit.call("crm", kit.reveal.RequestReveal, request)


def test_a_purpose_with_a_card_number_is_refused(kit: Kit) -> None:
    request = pb.RequestRevealRequest(
        idempotency_key=key(), card_token=kit.store(), agent_id=AGENT, purpose=f"charge {VISA}"
    )
    with pytest.raises(errors.InvalidArgument) as caught:
        kit.call("crm", kit.reveal.RequestReveal, request)
    assert caught.value.field == "purpose"


# ---- the CVV


def test_the_cvv_is_shown_once_and_destroyed(kit: Kit) -> None:
    token = kit.store()
    link = kit.cvv_link(token)
    assert kit.describe(token).cvv_state == pb.CVV_STATE_LINKED
    frame = kit.frame()
    answer = kit.redeem(frame.cvv_redeem(link))
    assert frame.opened(answer.sealed_answer, "wv-cvv+jwe") == {"cvv": "123"}
    assert kit.describe(token).cvv_state == pb.CVV_STATE_SHOWN
    assert kit.redeem(frame.cvv_redeem(link)) == answer
    with pytest.raises(errors.LinkUsed):
        kit.redeem(kit.frame().cvv_redeem(link))
    with pytest.raises(errors.CvvGone):
        kit.request_cvv(token)
    with kit.vault.core.database.read() as session:
        row = session.connection().exec_driver_sql("SELECT cvv_cipher, cvv_key_version FROM cards").one()
    assert tuple(row) == (None, None)
    assert kit.history(token)[-3:] == ["cvv.shown", "reveal.refused:LINK_USED", "challenge.refused:CVV_GONE"]


def test_the_same_confirmation_of_a_cvv_code_mails_the_same_link(kit: Kit) -> None:
    challenge, code = kit.request_cvv(kit.store())
    sealed = kit.frame().cvv_confirm(challenge, code)
    first = kit.confirm_cvv(sealed)
    assert kit.confirm_cvv(sealed) == first
    with pytest.raises(errors.CodeExpired):
        kit.confirm_cvv(kit.frame().cvv_confirm(challenge, code))


def test_a_link_dies_after_ten_minutes_and_when_a_newer_one_is_mailed(kit: Kit) -> None:
    token = kit.store()
    old, new = kit.cvv_link(token), kit.cvv_link(token)
    with pytest.raises(errors.LinkExpired):
        kit.redeem(kit.frame().cvv_redeem(old))
    kit.fake_clock.advance(timedelta(minutes=10))
    with pytest.raises(errors.LinkExpired):
        kit.redeem(kit.frame().cvv_redeem(new))
    assert kit.describe(token).cvv_state == pb.CVV_STATE_LINKED


def test_a_link_works_for_its_agent_only_and_an_unknown_one_for_nobody(kit: Kit) -> None:
    link = kit.cvv_link(kit.store())
    with pytest.raises(errors.PermissionDenied):
        kit.redeem(kit.frame().cvv_redeem(link), agent=OTHER_AGENT)
    with pytest.raises(errors.NotFound):
        kit.redeem(kit.frame().cvv_redeem("A" * 43))
    frame = kit.frame()
    assert frame.opened(kit.redeem(frame.cvv_redeem(link)).sealed_answer, "wv-cvv+jwe")["cvv"] == "123"


def test_a_cvv_past_its_time_is_not_shown_even_before_the_sweep(kit: Kit) -> None:
    token = kit.store()
    kit.fake_clock.advance(timedelta(hours=72))
    with pytest.raises(errors.CvvGone):
        kit.request_cvv(token)
    assert kit.describe(token).cvv_state == pb.CVV_STATE_PURGED


def test_what_is_removed_can_be_neither_shown_nor_repeated(kit: Kit) -> None:
    token = kit.store()
    link = kit.cvv_link(token)
    challenge, code = kit.request_reveal(token)
    frame = kit.frame()
    kit.confirm(frame.reveal(challenge, code))
    kit.remove(token)
    for attempt in (
        lambda: kit.confirm(frame.reveal(challenge, code)),
        lambda: kit.redeem(frame.cvv_redeem(link)),
        lambda: kit.request_reveal(token),
        lambda: kit.request_cvv(token),
    ):
        with pytest.raises(errors.CardGone):
            attempt()


def test_too_little_time_left_begins_nothing(kit: Kit) -> None:
    token = kit.store()
    challenge, code = kit.request_reveal(token)
    request = pb.ConfirmRevealRequest(agent_id=AGENT, sealed_request=kit.frame().reveal(challenge, code))
    with pytest.raises(errors.DeadlineTooShort):
        kit.call("crm", kit.reveal.ConfirmReveal, request, seconds=0.1)
    assert kit.history(token) == ["card.stored", "challenge.sent"]


def test_a_link_that_was_never_sent_or_is_anothers_shows_nothing(kit: Kit) -> None:
    with pytest.raises(errors.NotFound, match="This link is not known"):
        kit.redeem(kit.frame().cvv_redeem("t" * 43))
    link = kit.cvv_link(kit.store())
    with pytest.raises(errors.PermissionDenied, match="belongs to another agent"):
        kit.redeem(kit.frame().cvv_redeem(link), agent="agent_other")
    frame = kit.frame()
    assert frame.opened(kit.redeem(frame.cvv_redeem(link)).sealed_answer, "wv-cvv+jwe"), "and its owner still sees it"
