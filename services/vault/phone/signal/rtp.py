"""RTP packets (RFC 3550, section 5.1), read strictly and written plainly."""

import struct
from typing import Final, NamedTuple

_HEADER: Final = struct.Struct("!BBHII")
HEADER_SIZE: Final = _HEADER.size
_VERSION: Final = 2
# Payload types that are RTCP packets when RTP and RTCP share a port (RFC 5761, section 4).
_RTCP: Final = range(64, 96)


class Packet(NamedTuple):
    """One RTP packet. `timestamp` counts samples. A tuple, since thousands a second are made."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(data: bytes) -> Packet | None:
    """The packet, without contributing sources, extension and padding; None for anything that is none."""
    if len(data) < HEADER_SIZE:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first >> 6 != _VERSION or second & 0x7F in _RTCP:
        return None
    start, end = HEADER_SIZE + 4 * (first & 0x0F), len(data)
    if first & 0x10:
        if len(data) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if first & 0x20 and end > start:
        end -= data[-1]
    if end < start:
        return None
    return Packet(second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, data[start:end])


def build(
    payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, *, marker: bool = False
) -> bytes:
    """The packet's bytes; counters wrap."""
    second = payload_type | (0x80 if marker else 0)
    return (
        _HEADER.pack(
            _VERSION << 6,
            second,
            sequence & 0xFFFF,
            timestamp & 0xFFFFFFFF,
            ssrc,
        )
        + payload
    )


def shifted(data: bytes, *, sequence: int, timestamp: int, ssrc: int) -> bytes:
    """A packet's bytes with its counters moved on and another source: what follows our own packets in one stream."""
    first, second, old_sequence, old_timestamp, _ = _HEADER.unpack_from(data)
    header = _HEADER.pack(
        first, second, (old_sequence + sequence) & 0xFFFF, (old_timestamp + timestamp) & 0xFFFFFFFF, ssrc
    )
    return header + data[HEADER_SIZE:]


def signed_distance(later: int, earlier: int) -> int:
    """How far one timestamp is after another, in samples; negative when it is before. Counters wrap at 2³²."""
    return (later - earlier + 0x80000000 & 0xFFFFFFFF) - 0x80000000
