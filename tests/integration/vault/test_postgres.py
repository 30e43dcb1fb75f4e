"""What only a database that many write at once can show: exactly one recipient, one card, five comparisons."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chassis import errors
from chassis.clock import SystemClock
from chassis.db import open_database
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.parts import Limits
from tests.support.vault_kit import VISA, Kit, make_kit, open_kit

pytestmark = [pytest.mark.engines, pytest.mark.enable_socket]


@pytest.fixture
def kits(postgres_url: str, tmp_path: Path) -> Iterator[list[Kit]]:
    """One vault, as three processes would have it open."""
    first = make_kit(tmp_path, database_url=postgres_url, clock=SystemClock())
    more = [
        open_kit(
            open_database(postgres_url, name="vault-test", pool_size=10), tmp_path, clock=SystemClock(), limits=Limits()
        )
        for _ in range(2)
    ]
    yield [first, *more]
    for kit in (first, *more):
        kit.vault.close()


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


def test_exactly_one_recipient_of_a_cvv_link_in_every_round(kits: list[Kit]) -> None:
    for number in range(10):
        link = kits[0].cvv_link(kits[0].store(f"payment_{number}"))
        results = at_once(18, lambda n, link=link: kits[n % 3].redeem(kits[n % 3].frame().cvv_redeem(link)))  # type: ignore[misc]
        assert sum(isinstance(result, pb.RedeemCvvLinkResponse) for result in results) == 1


def test_exactly_one_recipient_of_a_card_in_every_round(kits: list[Kit]) -> None:
    for number in range(10):
        challenge, code = kits[0].request_reveal(kits[0].store(f"payment_{number}"))
        results = at_once(5, lambda n, c=challenge, k=code: kits[n % 3].confirm(kits[n % 3].frame().reveal(c, k)))  # type: ignore[misc]
        assert sum(isinstance(result, pb.ConfirmRevealResponse) for result in results) == 1


def test_three_codes_an_hour_however_many_are_asked_for_at_once(kits: list[Kit]) -> None:
    token = kits[0].store()
    results = at_once(12, lambda n: kits[n % 3].request_reveal(token))
    assert sum(isinstance(result, tuple) for result in results) == 3
    assert sum(isinstance(result, errors.TooManyChallenges) for result in results) == 9


def test_one_live_card_per_payment_and_one_card_per_call(kits: list[Kit]) -> None:
    request = kits[0].store_request(kits[0].open_intake())
    answers = at_once(9, lambda n: kits[n % 3].store_card(request).card_token)
    assert len(set(answers)) == 1
    requests = [kits[0].store_request(kits[0].open_intake()) for _ in range(6)]
    tokens = at_once(6, lambda n: kits[n % 3].store_card(requests[n]).card_token)
    stored = [t for t in tokens if isinstance(t, str) and kits[0].describe(t).state == pb.CARD_STATE_STORED]
    assert len(stored) == 1


def test_the_main_job_and_the_sweep_on_postgresql(kits: list[Kit]) -> None:
    kit = kits[1]
    token = kits[0].store()
    challenge, code = kit.request_reveal(token)
    frame = kit.frame()
    answer = kits[2].confirm(frame.reveal(challenge, code))
    assert frame.opened(answer.sealed_answer, "wv-card+jwe")["pan"] == VISA
    assert kits[0].confirm(frame.reveal(challenge, code)) == answer
    assert kit.vault.sweep.run() == pb.PurgeExpiredResponse()
    kit.remove(token)
    assert kit.history(token) == ["card.stored", "challenge.sent", "card.revealed", "card.removed"]
    assert kit.vault.core.audit.verify().findings == []
