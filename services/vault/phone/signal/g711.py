"""G.711 (ITU-T G.711): one byte per sample, 8,000 a second, μ-law or A-law, by tables.

Samples are floats in which 1.0 is the loudest sine a codec can carry: +3.17 dBm0 for μ-law, +3.14 dBm0 for A-law.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 8000
# dBm0 of a sine with amplitude 1.0 (G.711, table 5; the two laws differ by 0.03 dB).
FULL_SCALE_DBM0: Final = 3.15

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Codec:
    """One law. `payload_type` is its static number (RFC 3551, table 4); `silence` the byte for no sound."""

    name: str
    payload_type: int
    silence: int
    table: Floats

    def decode(self, payload: bytes | bytearray | memoryview) -> Floats:
        """The samples of a payload."""
        return self.table[np.frombuffer(payload, np.uint8)]

    def encode(self, samples: NDArray[np.floating]) -> Bytes:
        """The bytes nearest to the samples; what is louder than full scale is cut."""
        order, borders = _encoders[self.payload_type]
        return order[np.searchsorted(borders, samples)]


def _mu_law() -> Floats:
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = ((mantissa.astype(np.int32) << 3) + 132 << exponent) - 132
    return (np.where(code & 0x80, -magnitude, magnitude) / 32124).astype(np.float32)


def _a_law() -> Floats:
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = ((code >> 4) & 7).astype(np.int32), (code & 15).astype(np.int32)
    magnitude = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 264) << np.maximum(exponent - 1, 0))
    return (np.where(code & 0x80, magnitude, -magnitude) / 32256).astype(np.float32)


PCMU: Final = Codec("PCMU", 0, 0xFF, _mu_law())
PCMA: Final = Codec("PCMA", 8, 0xD5, _a_law())


def _encoder(table: Floats) -> tuple[Bytes, Floats]:
    """The bytes by rising value, and where the next one is nearer."""
    order = np.argsort(table, kind="stable")
    values = table[order]
    return order.astype(np.uint8), ((values[:-1] + values[1:]) / 2).astype(np.float32)


_encoders: Final = {codec.payload_type: _encoder(codec.table) for codec in (PCMU, PCMA)}
CODECS: Final = {codec.payload_type: codec for codec in (PCMU, PCMA)}
