"""Real sockets, Kamailio, and two telephones: a whole call, with a stand-in for the vault alone."""

import random
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.phone import extensions, kamailio
from deploy.phone.softphone import EVENT_TYPE, PhoneFault, Softphone
from services.vault.phone.calls.masker import Masker
from services.vault.phone.calls.media import Media
from services.vault.phone.capture.rules import Field, Result, State, TimeLimits
from services.vault.phone.capture.service import Sessions
from services.vault.phone.capture.sessions import Purpose
from services.vault.phone.signal.g711 import PCMU
from tests.proof.phone.judges import Goertzel
from tests.proof.phone.world import Stores, Trail

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.skipif(shutil.which("kamailio") is None, reason="Kamailio is not installed"),
]

PURPOSE = Purpose(
    agency_id="agency",
    agent_id="maya",
    payment_id="payment",
    desk="",
    card_days=30,
    cvv_hours=72,
    limits=TimeLimits(),
)


class House:
    """Kamailio, a masker and telephones."""

    def __init__(self, folder: Path, stack: ExitStack, base: int) -> None:
        self.server = ("127.0.0.1", base)
        self.known = extensions.ensure(folder / "extensions")
        self.store, self.trail, self.stop = Stores(), Trail(), threading.Event()
        self.media = Media(
            ng_listen=f"127.0.0.1:{base + 1}", address="127.0.0.1", first_port=base + 10, last_port=base + 60
        )
        self.sessions = Sessions(
            media=self.media,
            store=self.store,
            trail=self.trail,
            monotonic=time.monotonic,
            today=lambda: datetime.now(UTC),
        )
        self.masker = Masker(self.media.network, self.sessions)
        self.thread = thread = threading.Thread(
            target=self.media.run, args=(self.masker, self.sessions.tick, self.stop), daemon=True
        )
        thread.start()
        stack.callback(thread.join, 5)
        stack.callback(self.stop.set)
        listening = kamailio.Listening(address="127.0.0.1", port=base, ng_port=base + 1)
        file = folder / "kamailio.cfg"
        file.write_text(kamailio.configuration(listening, self.known.values()), "utf-8")
        self.log = folder / "kamailio.log"
        with self.log.open("wb") as log:
            process = self.kamailio = subprocess.Popen(
                ["kamailio", "-DD", "-E", "-f", str(file), "-Y", str(folder), "-m", "32", "-M", "8"],
                stdout=log,
                stderr=log,
            )
        stack.callback(process.wait, 10)
        stack.callback(process.terminate)

    def phone(self, stack: ExitStack, user: str) -> Softphone:
        found = Softphone(self.known[user], self.server).start()
        stack.callback(found.close)
        for _ in range(3):
            try:
                found.register()
            except PhoneFault:
                continue
            return found
        raise AssertionError(self.log.read_text("utf-8", "replace")[-2000:])


@pytest.fixture
def house(tmp_path: Path) -> Iterator[tuple[House, ExitStack]]:
    base = _free_base()
    with ExitStack() as stack:
        yield House(tmp_path, stack, base), stack


def _free_base() -> int:
    """A hundred ports that nobody uses; tests run side by side."""
    while True:
        base = random.randrange(41_000, 60_000, 100)
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ng,
        ):
            try:
                sip.bind(("127.0.0.1", base))
                ng.bind(("127.0.0.1", base + 1))
            except OSError:
                continue
            return base


def _until(condition: "object", seconds: float = 10.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < ends, "it did not happen in time"
        threading.Event().wait(0.02)


@pytest.mark.parametrize("by", ["event", "sound", "info"])
def test_a_card_is_keyed_in_a_real_call_and_nothing_of_it_reaches_the_agent(
    house: tuple[House, ExitStack], by: str
) -> None:
    found, stack = house
    agent, client = found.phone(stack, extensions.AGENT), found.phone(stack, extensions.CLIENT)
    client.call(extensions.AGENT)
    _until(agent.in_call.is_set)
    _until(lambda: len(agent.heard) > 10 and len(client.heard) > 10)
    session, pin = found.sessions.open(PURPOSE)
    agent.key(f"*{pin}#")
    _until(lambda: found.sessions.progress(session, "maya").state is State.TIED)
    tied = time.monotonic()
    for field, digits in ((Field.NUMBER, "4000056655665556#"), (Field.EXPIRY, "1134"), (Field.CVV, "737")):
        found.sessions.capture(session, "maya", field)
        client.key(digits, by=by)
        client.keyed()
        _until(lambda field=field: found.sessions.progress(session, "maya").fields[field].taken)
    result = found.sessions.finish(session, "maya", "Ana Client").result
    assert result is Result.STORED
    assert found.store.cards["payment"] == ("4000056655665556", "1134", "737")
    masked = [packet for packet in agent.heard if tied + 0.1 < packet[0]]
    assert not [kind for _, kind, _ in masked if kind == EVENT_TYPE]
    sound = PCMU.decode(b"".join(payload for _, kind, payload in masked if kind == 0))
    assert Goertzel().claims(sound.astype(float)) == set()
    assert "4000056655665556" not in found.log.read_text("utf-8", "replace")
    client.hang_up()
    _until(agent.over.is_set)
    _until(lambda: not found.masker.calls)


def test_a_stranger_can_neither_register_nor_call(house: tuple[House, ExitStack]) -> None:
    found, stack = house
    agent = found.known[extensions.AGENT]
    forged = extensions.Extension(user=agent.user, password="not it", desk=True)
    stranger = Softphone(forged, found.server).start()
    stack.callback(stranger.close)
    found.phone(stack, extensions.CLIENT)
    with pytest.raises(PhoneFault, match="401"):
        stranger.register()
    with pytest.raises(PhoneFault, match="401"):
        stranger.call(extensions.CLIENT)


def test_telephones_that_come_and_go_find_room_each_time(house: tuple[House, ExitStack]) -> None:
    home, _ = house
    # More than Kamailio keeps of one extension.
    for _ in range(5):
        with ExitStack() as stack:
            home.phone(stack, extensions.AGENT)


def test_without_the_masker_no_call_is_set_up(house: tuple[House, ExitStack]) -> None:
    found, stack = house
    agent, client = found.phone(stack, extensions.AGENT), found.phone(stack, extensions.CLIENT)
    found.stop.set()
    found.thread.join(5)
    with pytest.raises(PhoneFault, match="488"):
        client.call(extensions.AGENT)
    assert not agent.in_call.is_set()


def test_that_kamailio_is_gone_is_known_within_three_seconds_and_sound_goes_on(house: tuple[House, ExitStack]) -> None:
    home, stack = house
    agent, client = home.phone(stack, extensions.AGENT), home.phone(stack, extensions.CLIENT)
    client.call(extensions.AGENT)
    _until(agent.in_call.is_set)
    assert home.media.kamailio_answers()
    home.kamailio.terminate()
    gone = time.monotonic()
    _until(lambda: not home.media.kamailio_answers())
    assert time.monotonic() - gone < 3
    heard = len(agent.heard)
    _until(lambda: len(agent.heard) > heard + 10)
