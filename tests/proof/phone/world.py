"""A telephone world by a clock of its own: many calls at once through one masker, client and agent simulated."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.vault.phone.calls import bencode
from services.vault.phone.calls.masker import Masker
from services.vault.phone.calls.ng import NgServer
from services.vault.phone.calls.ports import Address, Ended, Transport
from services.vault.phone.capture.ports import Act, KeyedCard
from services.vault.phone.capture.service import Sessions
from services.vault.phone.capture.sessions import Purpose, StoredCard

BEAT = 0.01
_FIRST_PORT = 20000


@dataclass
class Stores:
    """Stands in for the vault: keeps what it was given, by payment, for comparing."""

    cards: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def store(self, card: KeyedCard, purpose: Purpose) -> StoredCard:
        number = card.number.decode()
        self.cards[purpose.payment_id] = (number, card.expiry.decode(), card.cvv.decode())
        return StoredCard(
            token=f"card_{card.session_id}",
            brand="visa",
            last4=number[-4:],
            name=card.name,
            kept_until=datetime(2026, 12, 27, tzinfo=UTC),
            cvv_kept_until=None,
        )


@dataclass
class Trail:
    acts: list[Act] = field(default_factory=list)

    def record(self, act: Act) -> None:
        self.acts.append(act)


class World:
    """Masker, sessions and a network, all told the time."""

    def __init__(self) -> None:
        self.now = 100.0
        self.store = Stores()
        self.trail = Trail()
        # Keys that sessions were told of: when, of which call, which key.
        self.told: list[tuple[float, str, int]] = []
        self._posted: list[Callable[[Masker, float], None]] = []
        self._next_port = itertools.count(_FIRST_PORT, 2)
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._receivers: dict[Address, Callable[[bytes, float], None]] = {}
        self._cookies = itertools.count()
        self.sessions = Sessions(
            media=self,
            store=self.store,
            trail=self.trail,
            monotonic=lambda: self.now,
            today=lambda: datetime(2026, 11, 27, tzinfo=UTC),
        )
        self.masker = Masker(self, self, most_calls=1000)
        self.ng = NgServer(self.masker, "192.0.2.1")
        self.at(self.now, self._beat)

    # ---- the masker's network and listener
    def open_pair(self) -> int:
        return next(self._next_port)

    def close_pair(self, port: int) -> None:
        """Ports are not used again here."""

    def send(self, port: int, data: bytes, address: Address) -> None:
        if address in self._receivers:
            self._receivers[address](data, self.now)

    def key_while_waiting(self, call_id: str, tag: str, *, desk: bool, transport: Transport, key: int) -> None:
        self.sessions.key_while_waiting(call_id, tag, desk=desk, transport=transport, key=key)

    def key_in_session(self, call_id: str, transport: Transport, key: int) -> None:
        self.told.append((self.now, call_id, key))
        self.sessions.key_in_session(call_id, transport, key)

    def over(self, call_id: str, why: Ended) -> None:
        self.sessions.over(call_id, why)

    def post(self, work: Callable[[Masker, float], None]) -> None:
        self._posted.append(work)

    # ---- the world's time
    def at(self, moment: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._order), action))

    def run(self, until: Callable[[], bool]) -> None:
        """Goes on until the condition holds at a beat."""
        while self._events and not until():
            self.now, _, action = heapq.heappop(self._events)
            action()

    def _beat(self) -> None:
        self.masker.beat(self.now)
        self.sessions.tick(self.now)
        self.settle()
        self.at(self.now + BEAT, self._beat)

    def settle(self) -> None:
        """Does what was posted to the media thread."""
        while self._posted:
            self._posted.pop(0)(self.masker, self.now)

    # ---- what callers use
    def receive_at(self, address: Address, receiver: Callable[[bytes, float], None]) -> None:
        self._receivers[address] = receiver

    def command(self, name: str, **fields: bencode.Value | str) -> dict[bytes, bencode.Value]:
        """An ng command as Kamailio sends it."""
        body: dict[bytes, bencode.Value] = {b"command": name.encode()}
        body |= {key.replace("_", "-").encode(): _value(value) for key, value in fields.items()}
        data = str(next(self._cookies)).encode() + b" " + bencode.encode(body)
        answer = bencode.decode(self.ng.datagram(data, self.now).partition(b" ")[2])
        self.settle()
        assert isinstance(answer, dict)
        return answer


def _value(value: bencode.Value | str) -> bencode.Value:
    return value.encode() if isinstance(value, str) else value
