"""Second reveals (M9) on a database that many write at once: one request, one decision, one showing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis import errors
from chassis.clock import SystemClock
from chassis.db import open_database
from protos.wayvault.vault.v1 import vault_pb2 as pb
from tests.integration.vault.test_postgres import at_once
from tests.support.vault_kit import APPROVER, VISA, Kit, make_kit, open_kit

pytestmark = [pytest.mark.engines, pytest.mark.enable_socket]

_OTHER_APPROVER = "agent_edda"


@pytest.fixture
def kits(postgres_url: str, tmp_path: Path) -> Iterator[list[Kit]]:
    """One vault, as two processes would have it open; the agency has two approvers."""
    first = make_kit(tmp_path, database_url=postgres_url, clock=SystemClock())
    first.with_approver()
    first.enrol(_OTHER_APPROVER, email="edda@harbour.example")
    first.set_approver(_OTHER_APPROVER)
    second = open_kit(open_database(postgres_url, name="vault-test", pool_size=10), tmp_path, clock=SystemClock())
    yield [first, second]
    for kit in (first, second):
        kit.vault.close()


def test_many_who_ask_at_once_ask_for_one(kits: list[Kit]) -> None:
    token = kits[0].reveal_once()
    asked = at_once(8, lambda n: kits[n % 2].ask_again(token))
    assert len({str(one) for one in asked}) == 1
    assert kits[0].history(token).count("second_reveal.requested") == 1


def test_of_two_approvers_at_once_exactly_one_decides_in_every_round(kits: list[Kit]) -> None:
    for number in range(6):
        token = kits[0].reveal_once(f"payment_{number}")
        second = kits[0].ask_again(token)
        challenge, code = kits[0].approval_code(second)

        def decide(n: int, second: str = second, challenge: str = challenge, code: str = code) -> object:
            kit = kits[n % 2]
            if n % 2:
                kit.refuse_second(second, approver=_OTHER_APPROVER)
                return "refused"
            return kit.confirm_approval(kit.frame().approve(challenge, code), approver=APPROVER)

        results = at_once(4, decide)
        assert sum(not isinstance(result, errors.WayvaultError) for result in results) == 1, results
        history = kits[0].history(token)
        assert history.count("second_reveal.approved") + history.count("second_reveal.declined") == 1


def test_one_approval_shows_the_card_to_exactly_one_frame_in_every_round(kits: list[Kit]) -> None:
    for number in range(6):
        token = kits[0].reveal_once(f"payment_{number}")
        kits[0].approved(token)
        challenge, code = kits[0].request_reveal(token)
        frames = [kit.frame() for kit in kits for _ in range(3)]

        def redeem(n: int, frames: list = frames, challenge: str = challenge, code: str = code) -> str:  # type: ignore[type-arg]
            answer = kits[n % 2].confirm(frames[n].reveal(challenge, code))
            return str(frames[n].opened(answer.sealed_answer, "wv-card+jwe")["pan"])

        results = at_once(5, redeem)
        assert results.count(VISA) == 1, results
        assert kits[0].history(token).count("card.revealed_again") == 1
        with pytest.raises(errors.AlreadyRevealed):
            kits[1].request_reveal(token)


def test_an_approval_and_the_end_of_its_card_at_once_leave_no_card_to_show(kits: list[Kit]) -> None:
    for number in range(4):
        token = kits[0].reveal_once(f"payment_{number}")
        challenge, code = kits[0].approval_code(kits[0].ask_again(token))

        def act(n: int, token: str = token, challenge: str = challenge, code: str = code) -> object:
            if n:
                return kits[1].remove(token)
            return kits[0].confirm_approval(kits[0].frame().approve(challenge, code))

        at_once(2, act)
        assert kits[0].describe(token).state == pb.CARD_STATE_REMOVED
        with pytest.raises(errors.CardGone):
            kits[0].request_reveal(token)
    assert kits[0].vault.core.audit.verify().findings == []
