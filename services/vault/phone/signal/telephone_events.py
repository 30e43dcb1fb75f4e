"""Keys as events beside the sound (RFC 4733, section 2)."""

import struct
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from services.vault.phone.signal.rtp import Packet

_EVENT: Final = struct.Struct("!BBH")
# 0 to 9, *, #, A to D (RFC 4733, table 3).
SYMBOLS: Final = "0123456789*#ABCD"
STAR: Final = 10
POUND: Final = 11
_REMEMBERED: Final = 64


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """A key that went down: `key` indexes SYMBOLS, `timestamp` is the RTP time of its beginning."""

    key: int
    timestamp: int


class EventReader:
    """Tells each key once, however often, late or out of order its packets come."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[int, int], None] = OrderedDict()

    def read(self, packet: Packet) -> KeyEvent | None:
        """The key that this packet is the first to tell of; None for repeats and for what is no key."""
        if len(packet.payload) < _EVENT.size:
            return None
        event, _, _ = _EVENT.unpack_from(packet.payload)
        if event >= len(SYMBOLS):
            return None
        known = (packet.ssrc, packet.timestamp)
        if known in self._seen:
            return None
        self._seen[known] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return KeyEvent(event, packet.timestamp)


def payload_of(key: int, duration: int, *, end: bool = False, volume: int = 10) -> bytes:
    """An event's payload; `duration` in samples."""
    return _EVENT.pack(key, (0x80 if end else 0) | volume, min(duration, 0xFFFF))
