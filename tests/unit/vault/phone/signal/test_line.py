"""A line by itself: what it plays is judged, equally long in place of every key, and otherwise what was said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.vault.phone.signal.flat_tone import TONE
from services.vault.phone.signal.g711 import PCMA, PCMU, RATE, Codec
from services.vault.phone.signal.line import DELAY, FRAME, LOOKAHEAD, LineBank
from services.vault.phone.signal.rtp import Packet
from services.vault.phone.signal.telephone_events import SYMBOLS, payload_of
from tests.proof.phone.sound import key_sound

_RNG = np.random.default_rng(3)


def _keyed(keys: str, *, seconds: float = 2.0, length: float = 0.08, pause: float = 0.08) -> "np.ndarray":
    samples = np.zeros(int(seconds * RATE))
    at = 2000
    for symbol in keys:
        tones = key_sound(SYMBOLS.index(symbol), int(length * RATE), dbm0=-12, twist=0, off=(0, 0), rng=_RNG)
        samples[at : at + len(tones)] += tones
        at += len(tones) + int(pause * RATE)
    return samples


def _through(samples: "np.ndarray", codec: Codec = PCMU, *, lost: frozenset[int] = frozenset()) -> tuple[bytes, str]:
    bank, heard = LineBank(1), []
    line = bank.open(0, masked=True, on_key=lambda key, _: heard.append(SYMBOLS[key]))
    wire = codec.encode(samples)
    played = b""
    for frame in range(len(wire) // FRAME):
        now = frame * FRAME
        if frame not in lost:
            packet = Packet(codec.payload_type, False, frame, now, 9, wire[now : now + FRAME].tobytes())
            bank.put(line, packet, codec, now)
        played += bank.play([line])[0]
    return played, "".join(heard)


@pytest.mark.parametrize("codec", [PCMU, PCMA], ids=lambda codec: codec.name)
def test_keys_are_heard_in_order_and_only_equal_tones_are_played(codec: Codec) -> None:
    played, heard = _through(_keyed("1234567890*#", seconds=2.6), codec)
    sound = codec.decode(played)
    loud = np.flatnonzero(np.abs(sound) > 2e-3)
    edges = np.flatnonzero(np.diff(loud) > 40)
    lengths = loud[np.r_[edges, len(loud) - 1]] - loud[np.r_[0, edges + 1]]
    assert heard == "1234567890*#"
    assert len(lengths) == 12
    assert lengths.max() - lengths.min() <= 2
    assert abs(int(lengths[0]) - TONE) < 20


def test_what_is_no_key_is_played_bit_by_bit() -> None:
    moments = np.arange(2 * RATE) / RATE
    samples = 0.2 * np.sin(2 * np.pi * 440 * moments) + 0.05 * _RNG.standard_normal(len(moments))
    played, heard = _through(samples)
    assert played[DELAY + FRAME : 14_000] == PCMU.encode(samples).tobytes()[FRAME : 14_000 - DELAY]
    assert heard == ""


@settings(max_examples=20, deadline=None)
@given(st.frozensets(st.integers(8, 60), max_size=20), st.integers(0, 159))
def test_pieces_of_keys_between_lost_packets_are_not_played(lost: frozenset[int], offset: int) -> None:
    samples = np.roll(_keyed("159", length=0.1), offset)
    played, _ = _through(samples, lost=lost)
    sound = PCMU.decode(played).astype(float)
    power = np.abs(np.fft.rfft(sound.reshape(-1, FRAME) * np.hanning(FRAME), axis=1)) ** 2
    keys = power[:, 13:36].max(1)  # 650 to 1,750 Hz
    assert keys.max() < 0.05, "a tone of a key is left"


def test_a_key_told_beside_the_sound_is_never_played_but_answered_by_a_tone() -> None:
    bank, heard = LineBank(1), []
    line = bank.open(0, masked=True, on_key=lambda key, _: heard.append(key))
    silence = bytes([PCMU.silence]) * FRAME
    played = b""
    for frame in range(40):
        now = frame * FRAME
        bank.put(line, Packet(0, False, frame, now, 9, silence), PCMU, now)
        if frame == 10:
            bank.key_beside(line, Packet(101, True, frame, now, 9, payload_of(7, 160)), now)
        played += bank.play([line])[0]
    loud = np.flatnonzero(np.abs(PCMU.decode(played)) > 2e-3)
    assert loud[-1] - loud[0] < TONE


def test_closing_a_line_overwrites_its_sound() -> None:
    bank = LineBank(1)
    line = bank.open(0, masked=True, on_key=lambda _key, _at: None)
    bank.put(line, Packet(0, False, 0, 0, 1, bytes(range(FRAME))), PCMU, 0)
    bank.close(line)
    assert not bank._sound.any()
    assert not bank._wire.any()
    assert not bank._here.any()


def test_what_came_too_late_to_be_judged_is_heard_once_and_the_line_stays_in_step() -> None:
    bank, heard = LineBank(1), []
    line = bank.open(0, masked=True, on_key=lambda key, _: heard.append(SYMBOLS[key]))
    wire = PCMU.encode(_keyed("8675309", length=0.2, pause=0.06, seconds=2.6))
    frames = len(wire) // FRAME
    # Every seventh packet comes 60 ms late: too late for judging, early enough for hearing.
    due = {frame: [frame] for frame in range(frames)}
    for frame in range(14, frames - 3, 7):
        due[frame].remove(frame)
        due[frame + 3].append(frame)
    for frame in range(frames):
        now = frame * FRAME
        for each in due[frame]:
            payload = wire[each * FRAME :][:FRAME].tobytes()
            bank.put(line, Packet(0, False, each, each * FRAME, 9, payload), PCMU, now)
        bank.play([line])
        assert line.judged - line.heard == LOOKAHEAD
    assert "".join(heard) == "8675309"
