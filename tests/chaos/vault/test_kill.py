"""kill -9 of a vault process at every step of redeeming: nothing is shown twice, nothing is burned unseen.

Each round forks a process that kills itself just before its n-th step. Then another one, after the dead one's lease
has run out, serves the same frame again, or first another frame. Rounds go on until a process gets through alive: so
every step was died at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from chassis import errors
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.reveal.rules import LEASE
from tests.chaos.vault.fate import another_process, run_until_killed
from tests.support.vault_kit import VISA, Frame, Kit, make_kit

pytestmark = [pytest.mark.chaos, pytest.mark.enable_socket, pytest.mark.timeout(900)]
CVV = "123"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a vault lives, and how to open it once more."""

    folder: Path
    url: str

    def later(self) -> Kit:
        return another_process(self.folder, self.url, later=LEASE)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    url = f"sqlite:///{tmp_path}/vault.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    make_kit(tmp_path, database_url=url if request.param == "postgresql" else "").vault.close()
    return Place(folder=tmp_path, url=url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """One secret that waits for its one recipient."""

    ask: Callable[[Kit, Frame], str]
    secret: str

    def shown(self, kit: Kit, frame: Frame) -> str | None:
        """What the frame shows; None when it is refused because another one was shown it."""
        try:
            return self.ask(kit, frame)
        except (errors.AlreadyRevealed, errors.LinkUsed):
            return None


def a_card(kit: Kit, payment: str) -> Showing:
    challenge, code = kit.request_reveal(kit.store(payment))

    def ask(at: Kit, frame: Frame) -> str:
        answer = at.confirm(frame.reveal(challenge, code))
        return str(frame.opened(answer.sealed_answer, "wv-card+jwe")["pan"])

    return Showing(ask=ask, secret=VISA)


def a_cvv(kit: Kit, payment: str) -> Showing:
    link = kit.cvv_link(kit.store(payment))

    def ask(at: Kit, frame: Frame) -> str:
        return str(frame.opened(at.redeem(frame.cvv_redeem(link)).sealed_answer, "wv-cvv+jwe")["cvv"])

    return Showing(ask=ask, secret=CVV)


@pytest.mark.parametrize("make", [a_card, a_cvv])
@pytest.mark.parametrize("stranger_first", [False, True])
def test_whoever_dies_at_whatever_step_exactly_one_frame_is_shown_it(
    place: Place, make: Callable[[Kit, str], Showing], stranger_first: bool
) -> None:
    for kill_at in range(1, 200):
        kit = another_process(place.folder, place.url)
        showing = make(kit, f"payment_{kill_at}_{stranger_first}")
        frame, stranger = kit.frame(), kit.frame()
        kit.vault.close()
        lived, first = run_until_killed(
            place.folder,
            place.url,
            kill_at,
            lambda at, ask=showing.ask, own=frame: ask(at, own),  # type: ignore[misc]
        )
        after = place.later()
        to_stranger = showing.shown(after, stranger) if stranger_first else None
        again = showing.shown(after, frame)
        after.vault.close()
        seen_by = [first or again, to_stranger]
        assert [secret for secret in seen_by if secret] == [showing.secret], f"at step {kill_at}: {seen_by}"
        if lived:
            assert kill_at > 8, "it has more steps than that"
            return
    raise AssertionError("it never got through")


def test_a_store_that_died_at_whatever_step_is_repeated_into_one_card(place: Place) -> None:
    for kill_at in range(1, 200):
        kit = another_process(place.folder, place.url)
        request = kit.store_request(kit.open_intake(f"payment_{kill_at}"))
        kit.vault.close()
        lived, first = run_until_killed(
            place.folder,
            place.url,
            kill_at,
            lambda at, sent=request: str(at.store_card(sent).card_token),  # type: ignore[misc]
        )
        after = place.later()
        token = str(after.store_card(request).card_token)
        assert first in ("", token)
        assert after.describe(token).state == pb.CARD_STATE_STORED
        assert after.history(token) == ["card.stored"]
        after.vault.close()
        if lived:
            assert kill_at > 8, "it has more steps than that"
            return
    raise AssertionError("it never got through")
