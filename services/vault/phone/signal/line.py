"""Delay lines that take keys out of sound, many side by side.

A line lays what arrives on a time scale of samples by the wall clock: what arrives at A is played DELAY later. Every
20 ms a line plays the next 160 samples, after judging the sound that far and LOOKAHEAD beyond. What arrived too late to
be judged, what is missing, and what looks like a key is not played: silence instead, and for a key one flat tone that
is always equally long. So nothing is played that was not judged, however packets are lost, doubled, reordered, late
or of another source.

The same sound is heard once more DELAY after it came, late packets included, for capturing keys.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.vault.phone.signal import flat_tone
from services.vault.phone.signal.flat_tone import TONE
from services.vault.phone.signal.g711 import PCMU, Codec, Floats
from services.vault.phone.signal.hearing import KeyHearing
from services.vault.phone.signal.rtp import Packet, signed_distance
from services.vault.phone.signal.tones import (
    HOP,
    QUIET,
    SHAPES,
    SPAN,
    TONES,
    WINDOW,
    WINDOWS,
    Windows,
    deviation,
    judge,
)

FRAME: Final = 160
# The two beats of 10 ms on which lines play their frames of 20 ms.
BEAT: Final = 80
DELAY: Final = 720
LOOKAHEAD: Final = 320
_SIZE: Final = 4800
_EARLIEST: Final = 1600
# A frame shorter than 10 ms can't be judged.
_SHORTEST: Final = 80
_BEFORE: Final = 120
_AFTER: Final = 120
# Shares above which a window is a key's: one alone, or two in a row with the same tones. The second number of each
# is for while a field is keyed.
_ALONE: Final = (0.80, 0.65)
_TWICE: Final = (0.65, 0.55)
# How far off two windows in a row may be to count: Q.24 lets a key be 1.8 % off, and speech below it pulls a little.
# What speech has of this shape is often further off.
_OFF: Final = (0.026, 1.0)
# The same for sound beside what is missing, which may be a piece of a key.
_TORN: Final = 0.35
_WEAKER: Final = 0.03
_KEYLIKE: Final = 0.6
_APART: Final = 560
# Frames in a row that came too late to be judged, after which the stream is laid anew.
_LATE: Final = 6
# Frames of which none came less than _DRIFT samples early: the sender's clock is ahead, and the stream is laid anew.
_WATCHED: Final = 250
_DRIFT: Final = 240
# Frames whose windows are kept, from being judged until being heard.
_KEPT: Final = LOOKAHEAD // FRAME + 1
_LAST_SPAN: Final = np.arange(FRAME - SPAN, FRAME)
_PASS, _SILENT, _TONE = 0, 1, 2

KeyHeard = Callable[[int, int], None]


@dataclass(eq=False, slots=True)
class Line:
    """One direction of one call. `masked`: it plays; else it is only heard (while a PIN is waited for)."""

    slot: int
    masked: bool
    on_key: KeyHeard
    clock: int
    codec: Codec = PCMU
    # Judge as while a field is keyed: more suspiciously.
    keying: bool = False
    judged: int = 0
    heard: int = 0
    last_key: int = 0
    # What came too late to be judged reaches to here: from LOOKAHEAD before it on, what is heard must be judged anew.
    late_until: int = 0
    _ssrc: int | None = None
    _anchor: tuple[int, int] = (0, 0)
    _late: int = 0
    _slack: int = _EARLIEST
    _frames: int = 0
    tones: list[int] = field(default_factory=list)
    _run: tuple[int, int] = (-1, -1)
    _hearing: KeyHearing = field(default_factory=KeyHearing)

    def position_of(self, packet: Packet, now: int) -> tuple[int, bool]:
        """Where on the scale a packet's first sample belongs, and whether the stream was laid anew for it."""
        if packet.ssrc != self._ssrc:
            return self._lay(packet, now), True
        position = self._anchor[1] + signed_distance(packet.timestamp, self._anchor[0])
        if position > now + DELAY + _EARLIEST:
            return self._lay(packet, now), True
        self._late = self._late + 1 if position < self.judged else 0
        if self._late >= _LATE:
            return self._lay(packet, now), True
        self._slack = min(self._slack, position - now)
        self._frames += 1
        if self._frames < _WATCHED:
            return position, False
        drifted = self._slack > DELAY + _DRIFT
        self._frames, self._slack = 0, _EARLIEST
        return (self._lay(packet, now), True) if drifted else (position, False)

    def _lay(self, packet: Packet, now: int) -> int:
        position = -(-(now + DELAY) // HOP) * HOP
        self._ssrc, self._anchor = packet.ssrc, (packet.timestamp, position)
        self._late, self._frames, self._slack = 0, 0, _EARLIEST
        return position

    def event_position(self, packet: Packet, now: int) -> int:
        """Where a key told beside the sound belongs; now, when the stream is not known yet."""
        if packet.ssrc != self._ssrc:
            return now + DELAY
        return self._anchor[1] + signed_distance(packet.timestamp, self._anchor[0])

    def tone_at(self, position: int) -> bool:
        """Asks for a tone; False when the same key has one already."""
        if any(abs(position - tone) < _APART for tone in self.tones[-2:]):
            return False
        self.tones = [*self.tones[-2:], position]
        return True

    def hear(self, windows: Windows, row: int, first_end: int) -> None:
        """Passes on the keys that became certain."""
        for key, index in self._hearing.hear(windows, row):
            self.on_key(key, first_end + index * HOP - WINDOW)

    @property
    def listening(self) -> bool:
        """Whether a key is under way."""
        return self._hearing.busy

    def continues(self, start: int, pair: int) -> bool:
        """Whether a window goes on with the key of the window before; notes it."""
        before, self._run = self._run, (start, pair)
        return before[1] == pair and start - before[0] <= 2 * HOP


class LineBank:
    """All lines of a process. Not thread-safe: the media thread's own."""

    def __init__(self, capacity: int = 16) -> None:
        self._free = list(range(capacity))[::-1]
        self._wire = np.zeros((capacity, _SIZE), np.uint8)
        self._mask = np.zeros((capacity, _SIZE), np.uint8)
        self._sound = np.zeros((2, capacity, _SIZE), np.float32)
        self._here = np.zeros((2, capacity, _SIZE), bool)
        self._cut = np.zeros((capacity, _SIZE), bool)
        self._before = np.zeros((capacity, 2), np.float32)
        self._phasor = np.zeros((capacity, 8), np.complex64)
        self._judged = {name: np.zeros((capacity, _KEPT, *shape), kind) for name, (shape, kind) in SHAPES.items()}

    def open(self, now: int, *, masked: bool, on_key: KeyHeard) -> Line:
        """A line that begins now."""
        if not self._free:
            self._grow()
        clock = -(-now // BEAT) * BEAT
        line = Line(self._free.pop(), masked, on_key, clock)
        line.judged, line.heard = clock + LOOKAHEAD, clock
        line.late_until = line.judged + SPAN
        return line

    def close(self, line: Line) -> None:
        """Ends a line and overwrites all that it held."""
        self._clear(line.slot)
        self._free.append(line.slot)

    def put(self, line: Line, packet: Packet, codec: Codec, now: int) -> None:
        """Lays a packet's sound on the line's scale, as far as it can still be judged."""
        length = len(packet.payload)
        if not _SHORTEST <= length <= _EARLIEST:
            return
        position, laid_anew = line.position_of(packet, now)
        if codec is not line.codec:
            line.codec, laid_anew = codec, True
            self._here[0, line.slot] = False
            self._sound[0, line.slot] = 0
        sound = codec.decode(packet.payload)
        if position >= line.judged:
            # What can still be judged will be heard too: both layers at once.
            self._lay(line.slot, slice(None), position, sound)
            wire = np.frombuffer(packet.payload, np.uint8)
            for part, where in _stretches(position, length):
                self._wire[line.slot, where] = wire[part]
            if laid_anew:
                self._cut[line.slot, position % _SIZE] = True
            return
        line.late_until = max(line.late_until, position + length)
        late = max(0, line.heard - position)
        if late < length:
            self._lay(line.slot, slice(1, 2), position + late, sound[late:])

    def _lay(self, slot: int, layers: slice, position: int, sound: Floats) -> None:
        for part, where in _stretches(position, len(sound)):
            self._sound[layers, slot, where] = sound[part]
            self._here[layers, slot, where] = True

    def key_beside(self, line: Line, packet: Packet, now: int) -> int:
        """A key told by an event: one tone in its place. Returns its position."""
        position = line.event_position(packet, now)
        place = max(position, line.clock + FRAME)
        if line.masked and line.tone_at(place):
            self._sound_tone(line, place)
        line.last_key = max(line.last_key, position)
        return position

    def play(self, lines: Sequence[Line]) -> list[bytes]:
        """Judges and plays the next frame of each line, whose `clock` it moves on; empty for lines only heard."""
        self._judge(lines)
        frames = self._frames([line for line in lines if line.masked])
        for line in lines:
            line.clock += FRAME
        found = iter(frames)
        return [next(found) if line.masked else b"" for line in lines]

    # ---- judging
    def _judge(self, lines: Sequence[Line]) -> None:
        """Judges what each line plays in LOOKAHEAD; then what it plays now is heard, late packets included.

        Where no packet came late, what is heard is what was judged LOOKAHEAD ago, and is not judged twice.
        """
        masked = [line for line in lines if line.masked]
        anew = [line for line in lines if not line.masked or line.late_until > line.heard + FRAME - SPAN]
        known = [line for line in masked if line not in anew]
        windows, where, rows = self._windows(masked, anew)
        if masked:
            cut = np.asarray(self._cut[rows[: len(masked)], where[: len(masked)]])
            self._keep(masked, windows)
            self._mask_keys(masked, windows, cut)
        self._hear(anew, windows, len(masked))
        self._hear(known, self._kept(known), 0)
        self._forget_heard(lines)

    def _windows(
        self, masked: Sequence[Line], anew: Sequence[Line]
    ) -> tuple[Windows, NDArray[np.intp], NDArray[np.intp]]:
        ends = [line.judged for line in masked] + [line.heard for line in anew]
        layers = np.array([0] * len(masked) + [1] * len(anew), np.intp)[:, None]
        where = (np.array(ends, np.intp)[:, None] + _LAST_SPAN) % _SIZE
        rows = np.array([line.slot for line in (*masked, *anew)], np.intp)[:, None]
        return judge(self._sound[layers, rows, where], self._here[layers, rows, where]), where, rows

    def _keep(self, lines: Sequence[Line], windows: Windows) -> None:
        count, slots = len(lines), [line.slot for line in lines]
        places = [line.judged // FRAME % _KEPT for line in lines]
        for name, kept in self._judged.items():
            kept[slots, places] = getattr(windows, name)[:count]

    def _kept(self, lines: Sequence[Line]) -> Windows:
        slots, places = [line.slot for line in lines], [line.heard // FRAME % _KEPT for line in lines]
        return Windows(**{name: kept[slots, places] for name, kept in self._judged.items()})

    @staticmethod
    def _hear(lines: Sequence[Line], windows: Windows, first: int) -> None:
        loud = set(np.argwhere((windows.share > _TORN) & (windows.total > QUIET))[:, 0].tolist())
        for row, line in enumerate(lines, first):
            if row in loud or line.listening:
                line.hear(windows, row, line.heard + HOP)
            line.heard += FRAME

    def _forget_heard(self, lines: Sequence[Line]) -> None:
        ends = np.array([line.heard - 2 * FRAME - WINDOW for line in lines])
        old, own = (ends[:, None] + np.arange(FRAME)) % _SIZE, np.array([line.slot for line in lines])[:, None]
        self._sound[1, own, old] = 0
        self._here[1, own, old] = False

    def _mask_keys(self, lines: Sequence[Line], windows: Windows, cut: NDArray[np.bool_]) -> None:
        count = len(lines)
        share, pair = windows.share[:count], windows.pair[:count]
        slots = np.array([line.slot for line in lines])
        keying = np.array([int(line.keying) for line in lines])
        alone, twice = np.array(_ALONE)[keying][:, None], np.array(_TWICE)[keying][:, None]
        active = (windows.total[:count] > QUIET) & (windows.weaker[:count] > _WEAKER)
        shares = np.where(active, share, 0)
        before = np.concatenate([self._before[slots, :1], shares[:, :-1]], 1)
        pair_before = np.concatenate([self._before[slots, 1:], pair[:, :-1]], 1)
        again = np.asarray((shares > twice) & (before > twice) & (pair == pair_before))
        again &= self._off(slots, windows.phasor[:count], pair) < np.array(_OFF)[keying][:, None]
        torn = np.logical_or(windows.present[:count] < 1, cut_windows(cut))
        found = np.asarray((shares > alone) | again | (torn & (shares > _TORN)))
        keylike = np.asarray(again & (shares > _KEYLIKE) & (before > _KEYLIKE))
        self._before[slots, 0], self._before[slots, 1] = shares[:, -1], pair[:, -1]
        for row, index in np.argwhere(found).tolist():
            line = lines[row]
            start = line.judged + (index + 1) * HOP - WINDOW
            begin = start - HOP if again[row, index] else start
            self._hide(line, begin - _BEFORE, start + WINDOW + _AFTER)
            if keylike[row, index]:
                self._answer(line, start, int(pair[row, index]))
        for line in lines:
            line.judged += FRAME

    def _off(
        self, slots: NDArray[np.intp], phasors: NDArray[np.complex64], pair: NDArray[np.intp]
    ) -> NDArray[np.floating]:
        """How far each window's two tones are from their frequencies, by how they turned since the window before."""
        turns = phasors * np.concatenate([self._phasor[slots, None], phasors[:, :-1]], 1).conj()
        self._phasor[slots] = phasors[:, -1]
        chosen = np.stack([pair // 4, 4 + pair % 4], -1)
        off: NDArray[np.floating] = deviation(np.take_along_axis(turns, chosen, -1), TONES[chosen]).max(-1)
        return off

    def _hide(self, line: Line, begin: int, end: int) -> None:
        where = np.arange(max(begin, line.clock), end) % _SIZE
        hidden = self._mask[line.slot, where]
        self._mask[line.slot, where] = np.maximum(hidden, _SILENT)

    def _answer(self, line: Line, start: int, pair: int) -> None:
        """The flat tone for a key that the windows from `start` show."""
        begins = not line.continues(start, pair)
        line.last_key = max(line.last_key, start)
        place = max(start - HOP - _BEFORE, line.clock)
        if begins and line.tone_at(place):
            self._sound_tone(line, place)

    def _sound_tone(self, line: Line, place: int) -> None:
        self._mask[line.slot, np.arange(place, place + TONE) % _SIZE] = _TONE

    # ---- playing
    def _frames(self, lines: Sequence[Line]) -> list[bytes]:
        if not lines:
            return []
        rows = np.array([line.slot for line in lines])[:, None]
        clocks = np.array([line.clock for line in lines])[:, None]
        where = (clocks + np.arange(FRAME)) % _SIZE
        mask = self._mask[rows, where]
        silence = np.array([line.codec.silence for line in lines], np.uint8)[:, None]
        plays = self._here[0][rows, where] & (mask == _PASS)
        frames = np.where(plays, self._wire[rows, where], silence)
        for row in np.flatnonzero((mask == _TONE).any(1)).tolist():
            line = lines[row]
            tones = flat_tone.frame(line.codec, [line.clock - begin for begin in line.tones], FRAME)
            frames[row] = np.where(mask[row] == _TONE, tones, frames[row])
        self._sound[0, rows, where] = 0
        self._here[0, rows, where] = False
        self._cut[rows, where] = False
        self._wire[rows, where] = 0
        self._mask[rows, where] = _PASS
        return [frame.tobytes() for frame in frames]

    def _clear(self, slot: int) -> None:
        self._wire[slot] = 0
        self._mask[slot] = _PASS
        self._sound[:, slot] = 0
        self._here[:, slot] = False
        self._cut[slot] = False
        self._before[slot] = 0
        self._phasor[slot] = 0
        for kept in self._judged.values():
            kept[slot] = 0

    def _grow(self) -> None:
        size = len(self._wire)
        for name in ("_wire", "_mask", "_cut", "_before", "_phasor"):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.zeros_like(old)]))
        for name, kept in self._judged.items():
            self._judged[name] = np.concatenate([kept, np.zeros_like(kept)])
        self._sound = np.concatenate([self._sound, np.zeros_like(self._sound)], 1)
        self._here = np.concatenate([self._here, np.zeros_like(self._here)], 1)
        self._free = list(range(size, 2 * size))[::-1]


def _stretches(position: int, length: int) -> tuple[tuple[slice, slice], ...]:
    """Where a stretch of the scale lies in a ring: (part of the stretch, part of the ring), twice when it wraps."""
    begin = position % _SIZE
    if begin + length <= _SIZE:
        return ((slice(0, length), slice(begin, begin + length)),)
    fits = _SIZE - begin
    return (slice(0, fits), slice(begin, _SIZE)), (slice(fits, length), slice(0, length - fits))


def cut_windows(cut: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the windows over each row hold a place where one stream was laid against another."""
    sums = np.concatenate([np.zeros((len(cut), 1), int), np.cumsum(cut, 1)], 1)
    starts = np.arange(WINDOWS) * HOP
    held: NDArray[np.bool_] = sums[:, starts + WINDOW] > sums[:, starts]
    return held
