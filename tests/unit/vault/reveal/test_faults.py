"""A fault never shows a card twice and never burns an unseen card."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy.exc import OperationalError

from chassis import errors
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.reveal import redeem
from services.vault.reveal.rules import LEASE
from services.vault.transit.service import KeyName
from tests.support.vault_kit import VISA, Kit, make_kit


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = make_kit(tmp_path)
    yield kit
    kit.vault.close()


class Killed(BaseException):
    """The process dies here: nothing after it runs, no clean-up either."""


def die(*_: Any, **__: Any) -> NoReturn:
    raise Killed


def lose_the_database(*_: Any, **__: Any) -> NoReturn:
    raise OperationalError("statement", {}, Exception("connection lost"))


def shown(kit: Kit, frame: Any, challenge: str, code: str) -> str:
    answer = kit.confirm(frame.reveal(challenge, code))
    return str(frame.opened(answer.sealed_answer, "wv-card+jwe")["pan"])


def test_transit_down_uses_nothing_up_however_often_it_is_tried(kit: Kit) -> None:
    token = kit.store()
    challenge, code = kit.request_reveal(token)
    frame = kit.frame()
    kit.transit.down()
    for _ in range(8):
        with pytest.raises(errors.Unavailable):
            kit.confirm(frame.reveal(challenge, code))
    kit.transit.up()
    assert shown(kit, frame, challenge, code) == VISA


def test_a_code_that_ends_while_it_is_compared_is_called_expired(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    challenge, code = kit.request_reveal(kit.store())
    codes = kit.vault.reveal._challenges._codes
    same = codes.same

    def slowly(typed: bytes, kept: bytes) -> bool:
        kit.fake_clock.advance(timedelta(hours=1))
        return same(typed, kept)

    monkeypatch.setattr(codes, "same", slowly)
    with pytest.raises(errors.CodeExpired):
        kit.confirm(kit.frame().reveal(challenge, code))


@pytest.mark.parametrize("step", ["reveal_grant", "settle", "audit"])
def test_a_database_lost_in_step_four_burns_nothing(kit: Kit, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    token = kit.store()
    challenge, code = kit.request_reveal(token)
    frame = kit.frame()
    with monkeypatch.context() as patch:
        match step:
            case "reveal_grant":
                patch.setattr(redeem, "reveal_grant", lose_the_database)
            case "settle":
                patch.setattr("services.vault.reveal.service.reveal_card", lose_the_database)
            case _:
                patch.setattr(kit.vault.core.audit, "record", lose_the_database)
        with pytest.raises(OperationalError):
            kit.confirm(frame.reveal(challenge, code))
    assert kit.describe(token).state == pb.CARD_STATE_STORED
    assert shown(kit, frame, challenge, code) == VISA


@pytest.mark.parametrize("where", ["decrypt", "seal", "commit"])
def test_a_process_killed_before_step_four_leaves_a_lease_that_runs_out(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    token = kit.store()
    challenge, code = kit.request_reveal(token)
    frame = kit.frame()
    redeemer = kit.vault.reveal._redeemer
    with monkeypatch.context() as patch:
        patch.setattr(redeem, "give_back_grant", die)  # a dead process gives nothing back
        match where:
            case "decrypt":
                kit.transit.fault = lambda operation, _: die() if operation == "decrypt" else None
            case "seal":
                patch.setattr(redeemer, "_seal", die)
            case _:
                patch.setattr(redeem, "reveal_grant", die)
        with pytest.raises(Killed):
            kit.confirm(frame.reveal(challenge, code))
    kit.transit.up()
    with pytest.raises(errors.Busy):
        kit.confirm(frame.reveal(challenge, code))
    with pytest.raises(errors.Busy):
        kit.request_reveal(token)
    kit.fake_clock.advance(LEASE)
    assert shown(kit, frame, challenge, code) == VISA


def test_an_answer_lost_after_step_four_is_repeated_to_the_same_frame_only(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge, code = kit.request_reveal(kit.store())
    frame = kit.frame()
    with monkeypatch.context() as patch:
        patch.setattr(redeem, "Shown", die)
        with pytest.raises(Killed):
            kit.confirm(frame.reveal(challenge, code))
    with pytest.raises(errors.AlreadyRevealed):
        shown(kit, kit.frame(), challenge, code)
    assert shown(kit, frame, challenge, code) == VISA


def test_a_slow_process_whose_lease_ran_out_shows_nothing(kit: Kit) -> None:
    """Its decryption returns after another request took the grant over: one recipient still."""
    challenge, code = kit.request_reveal(kit.store())
    slow, quick = kit.frame(), kit.frame()
    answers: list[str] = []

    def take_over(operation: str, key: KeyName) -> None:
        if operation == "decrypt" and key is KeyName.CARD:
            kit.transit.up()
            kit.fake_clock.advance(LEASE)
            answers.append(shown(kit, quick, challenge, code))

    kit.transit.fault = take_over
    with pytest.raises((errors.Busy, errors.AlreadyRevealed)):
        kit.confirm(slow.reveal(challenge, code))
    assert answers == [VISA]
    assert shown(kit, quick, challenge, code) == VISA


def test_a_card_removed_while_it_is_being_shown_is_not_shown(kit: Kit) -> None:
    token = kit.store()
    challenge, code = kit.request_reveal(token)

    def remove(operation: str, _: KeyName) -> None:
        if operation == "decrypt":
            kit.transit.up()
            kit.remove(token)

    kit.transit.fault = remove
    with pytest.raises(errors.CardGone):
        kit.confirm(kit.frame().reveal(challenge, code))
    assert kit.describe(token).state == pb.CARD_STATE_REMOVED


def test_a_cvv_survives_faults_and_is_shown_once(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    token = kit.store()
    link = kit.cvv_link(token)
    frame = kit.frame()
    kit.transit.down()
    with pytest.raises(errors.Unavailable):
        kit.redeem(frame.cvv_redeem(link))
    kit.transit.up()
    with monkeypatch.context() as patch:
        patch.setattr(redeem, "reveal_grant", lose_the_database)
        with pytest.raises(OperationalError):
            kit.redeem(frame.cvv_redeem(link))
    assert kit.ciphers(token)[1] is not None
    answer = kit.redeem(frame.cvv_redeem(link))
    assert frame.opened(answer.sealed_answer, "wv-cvv+jwe") == {"cvv": "123"}
    assert kit.ciphers(token)[1] is None


def test_a_refusal_that_cannot_be_audited_is_not_answered_as_one(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    challenge, code = kit.request_reveal(kit.store())
    monkeypatch.setattr(kit.vault.core.audit, "record", lose_the_database)
    with pytest.raises(OperationalError):
        kit.confirm(kit.frame().reveal(challenge, f"{(int(code) + 1) % 10**8:08d}"))


def at_once(count: int, act: Callable[[int], object]) -> list[object]:
    """What `count` threads got that started together: an answer, or the refusal."""
    barrier = threading.Barrier(count)

    def run(number: int) -> object:
        barrier.wait()
        try:
            return act(number)
        except errors.WayvaultError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_of_many_frames_at_once_exactly_one_is_shown_the_card(kit: Kit) -> None:
    challenge, code = kit.request_reveal(kit.store())
    frames = [kit.frame() for _ in range(4)]
    results = at_once(4, lambda number: shown(kit, frames[number], challenge, code))
    assert results.count(VISA) == 1
    assert all(isinstance(r, str | errors.AlreadyRevealed | errors.Busy | errors.CodeLocked) for r in results)


def test_of_many_clicks_on_a_cvv_link_exactly_one_is_shown_it(kit: Kit) -> None:
    link = kit.cvv_link(kit.store())
    results = at_once(12, lambda _: kit.redeem(kit.frame().cvv_redeem(link)))
    assert sum(isinstance(result, pb.RedeemCvvLinkResponse) for result in results) == 1


def test_parallel_guessing_is_compared_five_times_at_most(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    token = kit.store()
    challenge, code = kit.request_reveal(token)
    compared: list[bool] = []
    codes = kit.vault.core.codes
    same = codes.same

    def counting(_: object, left: bytes, right: bytes) -> bool:
        compared.append(True)
        return same(left, right)

    monkeypatch.setattr(type(codes), "same", counting)
    guesses = [kit.frame().reveal(challenge, f"{(int(code) + 1 + n) % 10**8:08d}") for n in range(16)]
    results = at_once(16, lambda number: kit.confirm(guesses[number]))
    assert len(compared) == 5
    assert all(isinstance(result, errors.CodeWrong | errors.CodeLocked) for result in results)
    with pytest.raises(errors.CodeLocked):
        kit.confirm(kit.frame().reveal(challenge, code))


def test_a_code_is_good_for_five_minutes_to_the_second(kit: Kit) -> None:
    challenge, code = kit.request_reveal(kit.store())
    kit.fake_clock.advance(timedelta(minutes=5) - timedelta(seconds=1))
    assert shown(kit, kit.frame(), challenge, code) == VISA
