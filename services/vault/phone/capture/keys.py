"""Keys of one side as they come by sound, by event and by message: each press counted once.

A telephone sends a press by one transport or by several at the same time. Which of them brings a press first
differs, so presses are not matched one by one: each transport's keys are kept apart, and those of the most trusted one
count (events can't be misheard; messages neither, but come late; sound last).
"""

from typing import Final

from services.vault.phone.calls.ports import Transport
from services.vault.phone.signal.telephone_events import POUND, STAR

_TRUST: Final = (Transport.EVENT, Transport.INFO, Transport.SOUND)
# Seconds in which a slower transport may still bring what a faster one completed a field with.
_STRAGGLE: Final = 0.3
# A PIN that another transport brings within this time is the same.
_SAME_PIN: Final = 2.4


class _Held:
    """Keys in one piece of memory, which never grows: growing would leave a copy behind."""

    def __init__(self, longest: int) -> None:
        self._memory = bytearray(longest)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, key: int) -> None:
        """Takes one more, while there is room."""
        if self._count < len(self._memory):
            self._memory[self._count] = key
            self._count += 1

    def digits(self) -> bytearray:
        """A copy in ASCII."""
        copy = bytearray(self._count)
        for index in range(self._count):
            copy[index] = 48 + self._memory[index]
        return copy

    def forget(self) -> None:
        """Overwrites them."""
        self._memory[:] = bytes(len(self._memory))
        self._count = 0


class KeyedField:
    """The digits of one field, in memory that is overwritten."""

    def __init__(self, longest: int, owed: dict[Transport, int], now: float) -> None:
        """`owed`: presses of the field before that slower transports have yet to bring."""
        self._keys = {transport: _Held(longest) for transport in Transport}
        self._owed = owed
        self._began = now
        self._ended_by: set[Transport] = set()

    def press(self, transport: Transport, key: int, now: float) -> bool:
        """Takes a key; True when it was `#`, which ends the field. `*` begins the field anew.

        A `#` before any digit is that of the field before, which its length had ended already.
        """
        if self._owed.get(transport, 0) > 0:
            self._owed[transport] -= 1
            if now - self._began < _STRAGGLE:
                return False
        keys = self._keys[transport]
        if key == STAR:
            keys.forget()
            return False
        if key == POUND:
            if not any(self._keys.values()):
                return False
            self._ended_by.add(transport)
            return transport is self.trusted() or not self._keys[self.trusted()]
        if key < STAR:
            keys.add(key)
        return False

    def trusted(self) -> Transport:
        """The most trusted transport that brought anything."""
        return next((each for each in _TRUST if self._keys[each]), Transport.SOUND)

    def digits(self) -> bytearray:
        """A copy for judging; the caller overwrites it."""
        return self._keys[self.trusted()].digits()

    def still_owed(self) -> dict[Transport, int]:
        """What less trusted transports have yet to bring of this field: they are slower."""
        trusted = self.trusted()
        brought = {each: len(keys) + (each in self._ended_by) for each, keys in self._keys.items()}
        slower = _TRUST[_TRUST.index(trusted) + 1 :]
        return {each: brought[trusted] - brought[each] for each in slower if 0 < brought[each] < brought[trusted]}

    def overwrite(self) -> None:
        """Forgets the digits."""
        for keys in self._keys.values():
            keys.forget()


class PinReader:
    """`*`, six digits, `#` on one side of a call without a session; anything else is not kept."""

    DIGITS: Final = 6

    def __init__(self) -> None:
        self._keys: dict[Transport, bytearray] = {}
        self._told_at = float("-inf")

    def press(self, transport: Transport, key: int, now: float) -> bytearray | None:
        """The PIN that this key completes, once for all transports."""
        if key == STAR:
            self._keys[transport] = bytearray()
            return None
        keys = self._keys.get(transport)
        if keys is None:
            return None
        if key == POUND:
            del self._keys[transport]
            if len(keys) == self.DIGITS and now - self._told_at > _SAME_PIN:
                self._told_at = now
                return keys
            _overwrite(keys)
        elif key < STAR and len(keys) < self.DIGITS:
            keys.append(48 + key)
        else:
            _overwrite(keys)
            del self._keys[transport]
        return None

    def overwrite(self) -> None:
        """Forgets what was begun."""
        for keys in self._keys.values():
            _overwrite(keys)
        self._keys.clear()


def _overwrite(keys: bytearray) -> None:
    for index in range(len(keys)):
        keys[index] = 0
    keys.clear()


def overwritten(keys: bytearray) -> None:
    """Overwrites a copy that was used."""
    _overwrite(keys)
