"""What callers were told. It knows nothing of databases: only answers that arrived count."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One payment from the press to the card on the screen: moments of time.monotonic()."""

    began: float
    authorized: float
    alerted: float
    shown: float


@dataclass(slots=True)
class Ledger:
    """Written by the people of the test, read by its judge. Thread-safe."""

    # By payment: the name on the card that its client sent.
    authorized: dict[str, str] = field(default_factory=dict)
    # By payment: the names that each window (a key of its own) was shown.
    shown: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    chains: list[Chain] = field(default_factory=list)
    # What nobody may be told, e.g. that a card was shown when no window has it.
    faults: list[str] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def note_authorized(self, payment_id: str, name: str) -> None:
        with self._changed:
            self.authorized[payment_id] = name

    def note_shown(self, payment_id: str, window: int, name: str) -> None:
        with self._changed:
            self.shown[payment_id][window] = name

    def note_fault(self, text: str) -> None:
        with self._changed:
            self.faults.append(text)

    def note_chain(self, chain: Chain) -> None:
        with self._changed:
            self.chains.append(chain)
            self._changed.notify_all()

    def wait_for_chain(self, since: float, seconds: float) -> Chain:
        """The first whole chain that began after that moment. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._begun_after(since), seconds):
                raise TimeoutError(f"no payment got through within {seconds:g} s")
            return self._begun_after(since)[0]

    def _begun_after(self, since: float) -> list[Chain]:
        return sorted((one for one in self.chains if one.began >= since), key=lambda one: one.shown)

    def shown_twice(self) -> list[str]:
        """Payments whose card more than one window was shown."""
        with self._changed:
            return [payment for payment, windows in self.shown.items() if len(windows) > 1]

    def wrong(self) -> list[str]:
        """Payments of which somebody was shown another card than their client sent."""
        with self._changed:
            return [
                payment
                for payment, windows in self.shown.items()
                for name in windows.values()
                if self.authorized.get(payment, name) != name
            ]

    def not_shown(self) -> list[str]:
        """Authorizations that were acknowledged and whose card no window has."""
        with self._changed:
            return [payment for payment in self.authorized if not self.shown.get(payment)]


def until(ready: Callable[[], bool], seconds: float, what: str) -> None:
    """Raises TimeoutError."""
    ends = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > ends:
            raise TimeoutError(f"{what} not within {seconds:g} s")
        time.sleep(0.2)
