import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.phone.signal.g711 import PCMA, PCMU, Codec


@pytest.mark.parametrize("codec", [PCMU, PCMA], ids=lambda codec: codec.name)
def test_every_byte_survives_being_heard_and_said_again(codec: Codec) -> None:
    wire = np.arange(256, dtype=np.uint8)
    again = codec.encode(codec.decode(wire.tobytes()))
    assert np.array_equal(codec.table[again], codec.table[wire])


@pytest.mark.parametrize(
    ("codec", "byte", "value"),
    [
        (PCMU, 0x80, 32124),
        (PCMU, 0x00, -32124),
        (PCMU, 0xFF, 0),
        (PCMA, 0xAA, 32256),
        (PCMA, 0x2A, -32256),
        (PCMA, 0xD5, 8),
    ],
)
def test_the_tables_are_the_recommendations(codec: Codec, byte: int, value: int) -> None:
    full = 32124 if codec is PCMU else 32256
    assert round(float(codec.table[byte]) * full) == value


@given(st.lists(st.floats(-0.99, 0.99), min_size=1, max_size=50), st.sampled_from([PCMU, PCMA]))
def test_what_is_said_is_the_nearest_that_can_be_said(values: list[float], codec: Codec) -> None:
    samples = np.array(values)
    heard = codec.decode(codec.encode(samples).tobytes())
    nearest = np.abs(codec.table[None, :] - samples[:, None]).min(1)
    assert np.allclose(np.abs(heard - samples), nearest, atol=1e-6)
