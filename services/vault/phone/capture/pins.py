"""PINs: six digits that tie a call to a session, tried a few times only."""

import hmac
import secrets
from collections import defaultdict
from typing import Final

from services.vault.phone.calls.ports import Transport
from services.vault.phone.capture.keys import PinReader, overwritten

# Wrong PINs per call, after which that call may try no more; and of all calls together while PINs wait, after which
# every waiting PIN is void. One in a million is right.
PER_CALL: Final = 3
IN_ALL: Final = 10


def new_pin(taken: set[bytes]) -> bytearray:
    """Six random digits that no other waiting session has."""
    while True:
        pin = f"{secrets.randbelow(1_000_000):06}".encode()
        if pin not in taken:
            return bytearray(pin)


def same(one: bytearray, other: bytearray) -> bool:
    """Compared in a time that tells nothing."""
    return hmac.compare_digest(one, other)


class PinDesk:
    """Reads PINs from calls without a session and counts the wrong ones."""

    def __init__(self) -> None:
        self._readers: defaultdict[tuple[str, str], PinReader] = defaultdict(PinReader)
        self._wrong: defaultdict[str, int] = defaultdict(int)
        self._wrong_in_all = 0

    def press(self, call_id: str, tag: str, transport: Transport, key: int, now: float) -> bytearray | None:
        """The PIN that this key completes."""
        return self._readers[call_id, tag].press(transport, key, now)

    def barred(self, call_id: str) -> bool:
        """Whether the call has tried too often."""
        return self._wrong[call_id] >= PER_CALL

    def wrong(self, call_id: str) -> bool:
        """Counts a wrong PIN; True when there were too many in all."""
        self._wrong[call_id] += 1
        self._wrong_in_all += 1
        return self._wrong_in_all >= IN_ALL

    def nothing_waits(self) -> None:
        """No PIN is waited for any more: what was begun is overwritten and counted anew next time."""
        for reader in self._readers.values():
            reader.overwrite()
        self._readers.clear()
        self._wrong_in_all = 0

    def call_over(self, call_id: str) -> None:
        """Forgets a call."""
        self._wrong.pop(call_id, None)
        for known in [known for known in self._readers if known[0] == call_id]:
            self._readers.pop(known).overwrite()


def used(pin: bytearray) -> None:
    """Overwrites a PIN that was compared."""
    overwritten(pin)
