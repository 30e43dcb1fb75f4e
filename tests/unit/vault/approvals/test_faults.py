"""Faults and races of a second reveal: never approved twice, never shown twice by one approval, nothing burned."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy.exc import OperationalError

from chassis import errors
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.reveal import redeem
from services.vault.reveal.rules import LEASE
from tests.support.vault_kit import OTHER_AGENT, VISA, Frame, Kit, make_kit


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = make_kit(tmp_path)
    kit.with_approver()
    yield kit
    kit.vault.close()


class Killed(BaseException):
    """The process dies here."""


def die(*_: Any, **__: Any) -> NoReturn:
    raise Killed


def lose_the_database(*_: Any, **__: Any) -> NoReturn:
    raise OperationalError("statement", {}, Exception("connection lost"))


def shown(kit: Kit, frame: Frame, challenge: str, code: str) -> str:
    answer = kit.confirm(frame.reveal(challenge, code))
    return str(frame.opened(answer.sealed_answer, "wv-card+jwe")["pan"])


def at_once(count: int, act: Callable[[int], object]) -> list[object]:
    barrier = threading.Barrier(count)

    def run(number: int) -> object:
        barrier.wait()
        try:
            return act(number)
        except errors.WayvaultError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.parametrize("step", ["take_grant", "approve", "reveal_grant", "audit"])
def test_a_database_lost_while_approving_approves_nothing_and_the_code_still_works(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    token = kit.reveal_once()
    challenge, code = kit.approval_code(kit.ask_again(token))
    sealed = kit.frame().approve(challenge, code)
    with monkeypatch.context() as patch:
        if step == "audit":
            patch.setattr(kit.vault.core.audit, "record", lose_the_database)
        else:
            patch.setattr(f"services.vault.reveal.approving.{step}", lose_the_database)
        with pytest.raises(OperationalError):
            kit.confirm_approval(sealed)
    with pytest.raises(errors.AlreadyRevealed):
        kit.request_reveal(token)
    assert kit.confirm_approval(sealed).HasField("good_until")


@pytest.mark.parametrize("step", ["show_card_again", "use_approval", "reveal_grant", "audit"])
def test_a_database_lost_while_showing_again_uses_the_approval_up_only_when_it_shows(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    token = kit.reveal_once()
    kit.approved(token)
    challenge, code = kit.request_reveal(token)
    frame = kit.frame()
    with monkeypatch.context() as patch:
        match step:
            case "reveal_grant":
                patch.setattr(redeem, "reveal_grant", lose_the_database)
            case "audit":
                patch.setattr(kit.vault.core.audit, "record", lose_the_database)
            case _:
                patch.setattr(f"services.vault.reveal.service.{step}", lose_the_database)
        with pytest.raises(OperationalError):
            kit.confirm(frame.reveal(challenge, code))
    assert shown(kit, frame, challenge, code) == VISA
    with pytest.raises(errors.AlreadyRevealed):
        kit.request_reveal(token)


def test_a_process_killed_while_showing_again_leaves_a_lease_that_runs_out(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = kit.reveal_once()
    kit.approved(token)
    challenge, code = kit.request_reveal(token)
    frame = kit.frame()
    with monkeypatch.context() as patch:
        patch.setattr(redeem, "give_back_grant", die)
        patch.setattr(redeem, "reveal_grant", die)
        with pytest.raises(Killed):
            kit.confirm(frame.reveal(challenge, code))
    with pytest.raises(errors.Busy):
        kit.request_reveal(token)
    kit.fake_clock.advance(LEASE)
    assert shown(kit, frame, challenge, code) == VISA


def test_an_answer_lost_after_it_was_shown_again_is_repeated_to_the_same_frame_only(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = kit.reveal_once()
    kit.approved(token)
    challenge, code = kit.request_reveal(token)
    frame = kit.frame()
    with monkeypatch.context() as patch:
        patch.setattr(redeem, "Shown", die)
        with pytest.raises(Killed):
            kit.confirm(frame.reveal(challenge, code))
    with pytest.raises(errors.AlreadyRevealed):
        shown(kit, kit.frame(), challenge, code)
    assert shown(kit, frame, challenge, code) == VISA


def test_of_many_frames_at_once_exactly_one_is_shown_the_card_again(kit: Kit) -> None:
    token = kit.reveal_once()
    kit.approved(token)
    challenge, code = kit.request_reveal(token)
    frames = [kit.frame() for _ in range(4)]
    results = at_once(4, lambda number: shown(kit, frames[number], challenge, code))
    assert results.count(VISA) == 1
    assert kit.history(token).count("card.revealed_again") == 1


def test_of_two_approvers_at_once_one_approves(kit: Kit) -> None:
    kit.set_approver(OTHER_AGENT)
    token = kit.reveal_once()
    second = kit.ask_again(token)
    challenge, code = kit.approval_code(second)

    def decide(number: int) -> object:
        if number == 0:
            return kit.confirm_approval(kit.frame().approve(challenge, code))
        kit.refuse_second(second, approver=OTHER_AGENT)
        return None

    results = at_once(2, decide)
    assert sum(isinstance(result, errors.PermissionDenied) for result in results) == 1
    history = kit.history(token)
    assert ("second_reveal.approved" in history) != ("second_reveal.declined" in history)


def test_many_who_ask_at_once_ask_for_one(kit: Kit) -> None:
    token = kit.reveal_once()
    results = at_once(6, lambda _: kit.ask_again(token))
    assert len({str(result) for result in results}) == 1
    assert kit.history(token).count("second_reveal.requested") == 1


def test_many_confirmations_at_once_approve_once(kit: Kit) -> None:
    token = kit.reveal_once()
    challenge, code = kit.approval_code(kit.ask_again(token))
    requests = [kit.frame().approve(challenge, code) for _ in range(4)]
    results = at_once(4, lambda number: kit.confirm_approval(requests[number]))
    assert sum(isinstance(result, pb.ConfirmApprovalResponse) for result in results) == 1
    assert kit.history(token).count("second_reveal.approved") == 1


def test_parallel_guessing_is_compared_five_times_at_most(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    challenge, code = kit.approval_code(kit.ask_again(kit.reveal_once()))
    compared: list[bool] = []
    codes = kit.vault.core.codes
    same = codes.same

    def counting(_: object, left: bytes, right: bytes) -> bool:
        compared.append(True)
        return same(left, right)

    monkeypatch.setattr(type(codes), "same", counting)
    guesses = [kit.frame().approve(challenge, f"{(int(code) + 1 + n) % 10**8:08d}") for n in range(12)]
    at_once(12, lambda number: kit.confirm_approval(guesses[number]))
    assert len(compared) == 5
