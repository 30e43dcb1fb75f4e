"""The one tone that is heard in place of every key: 60 ms of 400 Hz at −16 dBm0 with soft ends."""

import functools
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.vault.phone.signal.g711 import CODECS, RATE, Bytes, Codec

# Samples.
TONE: Final = 480
_ENDS: Final = 24


@functools.cache
def _tone(payload_type: int) -> Bytes:
    moments = np.arange(TONE) / RATE
    ends = np.minimum(1.0, np.minimum(np.arange(TONE), np.arange(TONE)[::-1]) / _ENDS)
    return CODECS[payload_type].encode(0.11 * ends * np.sin(2 * np.pi * 400 * moments))


def frame(codec: Codec, since: Iterable[int], length: int) -> Bytes:
    """`length` bytes of tones that began so many samples before; silence where none sounds."""
    tone = _tone(codec.payload_type)
    sound: NDArray[np.uint8] = np.full(length, codec.silence, np.uint8)
    for begun in since:
        at = begun + np.arange(length)
        sound = np.where((at >= 0) & (at < TONE), tone[np.clip(at, 0, TONE - 1)], sound)
    return sound
