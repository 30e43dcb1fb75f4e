"""A second reveal: asked for by the owner, approved by another enrolled person, good once and for half an hour (M9)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chassis import errors
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.approvals.rules import (
    APPROVAL_TTL,
    ENDED,
    OPEN,
    REQUEST_TTL,
    SECOND_MOVES,
    SecondState,
)
from tests.support.vault_kit import AGENT, APPROVER, ORIGIN, OTHER_AGENT, VISA, Kit, key, make_kit


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = make_kit(tmp_path)
    kit.with_approver()
    yield kit
    kit.vault.close()


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08d}"


def show_again(kit: Kit, token: str) -> str:
    challenge, code = kit.request_reveal(token)
    frame = kit.frame()
    answer = kit.confirm(frame.reveal(challenge, code))
    return str(frame.opened(answer.sealed_answer, "wv-card+jwe")["pan"])


def test_every_state_is_open_or_ended_and_nothing_leaves_an_ended_one() -> None:
    assert {*OPEN, *ENDED} == set(SecondState)
    assert not {state for state, _ in SECOND_MOVES} & {*ENDED}


def test_an_approved_second_reveal_shows_the_card_once_more_and_the_history_says_how(kit: Kit) -> None:
    token = kit.reveal_once()
    kit.approved(token)
    assert show_again(kit, token) == VISA
    assert kit.history(token) == [
        "card.stored",
        "challenge.sent",
        "card.revealed",
        "second_reveal.requested",
        "approval.code_sent",
        "second_reveal.approved",
        "challenge.sent",
        "card.revealed_again",
    ]


def test_the_history_names_who_asked_why_and_who_approved(kit: Kit) -> None:
    token = kit.reveal_once()
    kit.approved(token)
    request = pb.ListAccessRequest(card_token=token, agent_id=AGENT)
    entries = {e.action: e for e in kit.call("crm", kit.custody.ListAccess, request).entries}
    assert (entries["second_reveal.requested"].actor, entries["second_reveal.requested"].reason) == (
        AGENT,
        "The supplier's page crashed",
    )
    assert entries["second_reveal.approved"].actor == APPROVER
    assert entries["second_reveal.approved"].origin.ip == ORIGIN.ip


def test_an_approval_is_good_once(kit: Kit) -> None:
    token = kit.reveal_once()
    kit.approved(token)
    assert show_again(kit, token) == VISA
    with pytest.raises(errors.AlreadyRevealed):
        kit.request_reveal(token)


def test_the_second_grant_has_one_recipient_key_and_repeats_to_it_only(kit: Kit) -> None:
    token = kit.reveal_once()
    kit.approved(token)
    challenge, code = kit.request_reveal(token)
    frame = kit.frame()
    first = kit.confirm(frame.reveal(challenge, code))
    assert kit.confirm(frame.reveal(challenge, code)) == first
    with pytest.raises(errors.AlreadyRevealed):
        kit.confirm(kit.frame().reveal(challenge, code))


def test_the_first_frame_never_gets_the_second_answer(kit: Kit) -> None:
    token = kit.store()
    challenge, code = kit.request_reveal(token)
    frame = kit.frame()
    first = kit.confirm(frame.reveal(challenge, code))
    kit.approved(token)
    assert kit.confirm(frame.reveal(challenge, code)) == first
    kit.fake_clock.advance(timedelta(minutes=3))
    with pytest.raises(errors.AlreadyRevealed):
        kit.confirm(frame.reveal(challenge, code))


def test_without_an_approver_second_reveals_are_off(tmp_path: Path) -> None:
    kit = make_kit(tmp_path)
    token = kit.reveal_once()
    with pytest.raises(errors.PermissionDenied, match="off for this agency"):
        kit.ask_again(token)
    assert kit.history(token)[-1] == "second_reveal.refused:PERMISSION_DENIED"
    kit.vault.close()


def test_an_owner_who_is_the_only_approver_cannot_ask(tmp_path: Path) -> None:
    kit = make_kit(tmp_path)
    kit.set_approver(AGENT)
    with pytest.raises(errors.PermissionDenied, match="off for this agency"):
        kit.ask_again(kit.reveal_once())
    kit.vault.close()


def test_the_owner_cannot_approve_her_own_request_even_as_an_approver(kit: Kit) -> None:
    kit.set_approver(AGENT)
    token = kit.reveal_once()
    second = kit.ask_again(token)
    with pytest.raises(errors.PermissionDenied, match="another person"):
        kit.approval_code(second, approver=AGENT)
    with pytest.raises(errors.PermissionDenied, match="another person"):
        kit.refuse_second(second, approver=AGENT)
    assert kit.history(token)[-2:] == ["second_reveal.refused:PERMISSION_DENIED"] * 2


def test_one_person_enrolled_twice_is_one_person(kit: Kit) -> None:
    kit.enrol("agent_maya_too", email=f"{AGENT.upper()}@harbour.example")
    kit.set_approver("agent_maya_too")
    second = kit.ask_again(kit.reveal_once())
    with pytest.raises(errors.PermissionDenied, match="another person"):
        kit.approval_code(second, approver="agent_maya_too")


def test_the_database_itself_refuses_a_self_approval(kit: Kit) -> None:
    kit.ask_again(kit.reveal_once())
    with pytest.raises(IntegrityError), kit.vault.core.database.transaction() as session:
        session.execute(text("UPDATE second_reveals SET state = 'approved', approver_id = owner_agent_id"))


def test_a_colleague_who_is_no_approver_cannot_decide(kit: Kit) -> None:
    second = kit.ask_again(kit.reveal_once())
    with pytest.raises(errors.PermissionDenied, match="not made you an approver"):
        kit.approval_code(second, approver=OTHER_AGENT)
    with pytest.raises(errors.PermissionDenied, match="not made you an approver"):
        kit.refuse_second(second, approver=OTHER_AGENT)


def test_an_approver_of_another_agency_cannot_decide(kit: Kit) -> None:
    kit.enrol("agent_far", agency="agency_2")
    kit.set_approver("agent_far")
    second = kit.ask_again(kit.reveal_once())
    with pytest.raises(errors.PermissionDenied, match="another agency"):
        kit.approval_code(second, approver="agent_far")


def test_a_stranger_to_the_register_cannot_decide(kit: Kit) -> None:
    second = kit.ask_again(kit.reveal_once())
    with pytest.raises(errors.AgentUnknown):
        kit.approval_code(second, approver="agent_nobody")


def test_an_approver_who_was_dismissed_meanwhile_approves_nothing(kit: Kit) -> None:
    second = kit.ask_again(kit.reveal_once())
    challenge, code = kit.approval_code(second)
    kit.set_approver(approver=False)
    with pytest.raises(errors.PermissionDenied):
        kit.confirm_approval(kit.frame().approve(challenge, code))


def test_only_the_owner_asks_and_only_after_the_card_was_shown(kit: Kit) -> None:
    token = kit.store()
    with pytest.raises(errors.PermissionDenied, match="not shown yet"):
        kit.ask_again(token)
    with pytest.raises(errors.PermissionDenied, match="another agent"):
        kit.ask_again(token, agent=OTHER_AGENT)


def test_a_destroyed_card_is_not_asked_for_nor_approved_nor_shown(kit: Kit) -> None:
    token = kit.reveal_once()
    second = kit.ask_again(token)
    challenge, code = kit.approval_code(second)
    kit.remove(token)
    with pytest.raises(errors.CardGone):
        kit.ask_again(token)
    with pytest.raises(errors.CardGone):
        kit.confirm_approval(kit.frame().approve(challenge, code))


def test_a_card_removed_after_the_approval_stays_gone(kit: Kit) -> None:
    token = kit.reveal_once()
    kit.approved(token)
    challenge, code = kit.request_reveal(token)
    kit.remove(token)
    with pytest.raises(errors.CardGone):
        kit.confirm(kit.frame().reveal(challenge, code))
    assert kit.ciphers(token) == (None, None)


def test_asking_twice_is_asking_once(kit: Kit) -> None:
    token = kit.reveal_once()
    assert kit.ask_again(token) == kit.ask_again(token, reason="Another reason")
    assert kit.history(token).count("second_reveal.requested") == 1


def test_the_same_call_again_gives_the_same_answer(kit: Kit) -> None:
    token = kit.reveal_once()
    request = pb.RequestSecondRevealRequest(
        idempotency_key=key(), card_token=token, agent_id=AGENT, reason="Lost the page", origin=ORIGIN
    )
    first = kit.call("crm", kit.seconds.RequestSecondReveal, request)
    assert kit.call("crm", kit.seconds.RequestSecondReveal, request) == first


def test_a_request_waits_a_day_and_can_then_be_made_anew(kit: Kit) -> None:
    token = kit.reveal_once()
    second = kit.ask_again(token)
    kit.fake_clock.advance(REQUEST_TTL - timedelta(seconds=1))
    kit.approval_code(second)
    kit.fake_clock.advance(timedelta(seconds=1))
    with pytest.raises(errors.PermissionDenied, match="expired"):
        kit.approval_code(second)
    assert kit.ask_again(token) != second
    assert "second_reveal.expired" in kit.history(token)


def test_an_approval_is_good_for_half_an_hour_to_the_second(kit: Kit) -> None:
    token = kit.reveal_once()
    kit.approved(token)
    kit.fake_clock.advance(APPROVAL_TTL - timedelta(seconds=2))
    challenge, code = kit.request_reveal(token)
    kit.fake_clock.advance(timedelta(seconds=1))
    frame = kit.frame()
    answer = kit.confirm(frame.reveal(challenge, code))
    assert frame.opened(answer.sealed_answer, "wv-card+jwe")["pan"] == VISA


def test_no_code_outlives_its_approval(kit: Kit) -> None:
    token = kit.reveal_once()
    kit.approved(token)
    kit.fake_clock.advance(APPROVAL_TTL - timedelta(minutes=1))
    challenge, code = kit.request_reveal(token)
    kit.fake_clock.advance(timedelta(minutes=1))
    with pytest.raises(errors.CodeExpired):
        kit.confirm(kit.frame().reveal(challenge, code))
    with pytest.raises(errors.AlreadyRevealed):
        kit.request_reveal(token)


def test_what_is_past_its_time_is_swept_with_a_line_in_the_history(kit: Kit) -> None:
    token = kit.reveal_once()
    kit.approved(token)
    kit.fake_clock.advance(APPROVAL_TTL)
    kit.vault.sweep.run()
    kit.vault.sweep.run()
    request = pb.ListAccessRequest(card_token=token, agent_id=AGENT)
    entries = kit.call("crm", kit.custody.ListAccess, request).entries
    ended = [(e.actor, e.reason) for e in entries if e.action == "second_reveal.expired"]
    assert ended == [("vault", "NOT_USED")]


def test_a_refused_request_is_over_and_keeps_the_word(kit: Kit) -> None:
    token = kit.reveal_once()
    second = kit.ask_again(token)
    challenge, code = kit.approval_code(second)
    kit.refuse_second(second, word="Ask the client instead")
    with pytest.raises(errors.PermissionDenied, match="refused already"):
        kit.confirm_approval(kit.frame().approve(challenge, code))
    with pytest.raises(errors.AlreadyRevealed):
        kit.request_reveal(token)
    request = pb.ListAccessRequest(card_token=token, agent_id=AGENT)
    entries = kit.call("crm", kit.custody.ListAccess, request).entries
    assert ("second_reveal.declined", APPROVER, "Ask the client instead") in [
        (e.action, e.actor, e.reason) for e in entries
    ]
    assert kit.ask_again(token) != second


def test_the_approval_letter_goes_to_the_approver_and_says_who_asks_and_why(kit: Kit) -> None:
    second = kit.ask_again(kit.reveal_once())
    request = pb.RequestApprovalRequest(
        idempotency_key=key(), second_reveal_id=second, approver_id=APPROVER, origin=ORIGIN
    )
    letter = kit.letter(kit.call("crm", kit.seconds.RequestApproval, request).sealed_mail)
    assert (letter.template, letter.to) == ("approve_code", f"{APPROVER}@harbour.example")
    assert letter.data["agent_name"] == "Ada Lindqvist"
    assert letter.data["owner_name"] == "Maya Okafor"
    assert letter.data["purpose"] == "The supplier's page crashed"
    assert letter.data["last4"] == "1111"


def test_an_approval_code_shows_no_card_and_a_card_code_approves_nothing(kit: Kit) -> None:
    token = kit.store()
    card_challenge, card_code = kit.request_reveal(token)
    with pytest.raises(errors.NotFound):
        kit.confirm_approval(kit.frame().approve(card_challenge, card_code), approver=AGENT)
    kit.confirm(kit.frame().reveal(card_challenge, card_code))
    challenge, code = kit.approval_code(kit.ask_again(token))
    for agent in (AGENT, APPROVER):
        with pytest.raises(errors.NotFound):
            kit.confirm(kit.frame().reveal(challenge, code), agent=agent)


def test_an_approval_code_is_the_approvers_alone(kit: Kit) -> None:
    kit.set_approver(OTHER_AGENT)
    challenge, code = kit.approval_code(kit.ask_again(kit.reveal_once()))
    for agent in (AGENT, OTHER_AGENT):
        with pytest.raises(errors.PermissionDenied):
            kit.confirm_approval(kit.frame().approve(challenge, code), approver=agent)


def test_wrong_codes_count_and_the_fifth_locks(kit: Kit) -> None:
    token = kit.reveal_once()
    challenge, code = kit.approval_code(kit.ask_again(token))
    for _ in range(4):
        with pytest.raises(errors.CodeWrong):
            kit.confirm_approval(kit.frame().approve(challenge, wrong(code)))
    with pytest.raises(errors.CodeLocked):
        kit.confirm_approval(kit.frame().approve(challenge, wrong(code)))
    with pytest.raises(errors.CodeLocked):
        kit.confirm_approval(kit.frame().approve(challenge, code))
    assert kit.history(token)[-1] == "code.refused:CODE_LOCKED"


def test_an_approver_gets_three_codes_an_hour_and_a_newer_one_ends_the_older(kit: Kit) -> None:
    second = kit.ask_again(kit.reveal_once())
    codes = [kit.approval_code(second) for _ in range(3)]
    with pytest.raises(errors.TooManyChallenges):
        kit.approval_code(second)
    with pytest.raises(errors.CodeExpired):
        kit.confirm_approval(kit.frame().approve(*codes[0]))
    assert kit.confirm_approval(kit.frame().approve(*codes[2])).second_reveal_id == second


def test_an_approval_opens_what_three_codes_within_an_hour_had_closed(kit: Kit) -> None:
    token = kit.store()
    challenge, code = [kit.request_reveal(token) for _ in range(3)][-1]
    kit.confirm(kit.frame().reveal(challenge, code))
    kit.approved(token)
    assert show_again(kit, token) == VISA


def test_the_same_approval_request_again_gives_the_same_answer(kit: Kit) -> None:
    challenge, code = kit.approval_code(kit.ask_again(kit.reveal_once()))
    sealed = kit.frame().approve(challenge, code)
    first = kit.confirm_approval(sealed)
    assert kit.confirm_approval(sealed) == first
    with pytest.raises(errors.CodeExpired):
        kit.confirm_approval(kit.frame().approve(challenge, code))


def test_an_unknown_request_is_not_found(kit: Kit) -> None:
    with pytest.raises(errors.NotFound):
        kit.approval_code("second_nothing")


@pytest.mark.parametrize("reason", ["", " ", "x" * 201, "4111 1111 1111 1111"])
def test_a_reason_is_needed_and_holds_no_card(kit: Kit, reason: str) -> None:
    with pytest.raises(errors.InvalidArgument):
        kit.ask_again(kit.reveal_once(), reason=reason)


def test_the_cvv_comes_back_by_no_second_reveal(kit: Kit) -> None:
    """Only the card is shown again: a CVV that was shown is destroyed (PCI DSS 3.3.1)."""
    token = kit.reveal_once()
    kit.redeem(kit.frame().cvv_redeem(kit.cvv_link(token)))
    kit.approved(token)
    show_again(kit, token)
    with pytest.raises(errors.CvvGone):
        kit.request_cvv(token)


def test_the_audit_trail_is_whole_after_all_of_it(kit: Kit) -> None:
    token = kit.reveal_once()
    kit.approved(token)
    show_again(kit, token)
    assert kit.vault.core.audit.verify().findings == []
