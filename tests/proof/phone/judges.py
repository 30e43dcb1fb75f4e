"""Two judges of different kind who try to read keys from what the agent's side was sent.

Goertzel's filter over windows of 10 ms; and a classifier that was trained on clear recordings of keys, over spectra of
20 ms. Both know when each key was pressed, which no eavesdropper does, and need only one window to make a claim.
"""

from dataclasses import dataclass, field

import numpy as np

from services.vault.phone.signal.g711 import PCMU, RATE
from tests.proof.phone import sound

_TONES = np.array([697, 770, 852, 941, 1209, 1336, 1477, 1633])
_KEY_OF_PAIR = (1, 2, 3, 12, 4, 5, 6, 13, 7, 8, 9, 14, 10, 0, 11, 15)
_HOP = 40
_GOERTZEL = 80
_SURE = 0.72
_SPECTRUM = 160
_BANDS = slice(10, 38)  # 500 to 1,850 Hz in steps of 50
_CLASSES = 17
_NONE = 16
_QUIET = 1e-6


@dataclass(frozen=True, slots=True)
class Reading:
    """A key that a window shows; `window` is that window's sound."""

    key: int
    window: sound.Sound


def _windows(samples: sound.Sound, size: int) -> sound.Sound:
    if len(samples) < size:
        return np.zeros((0, size))
    return np.lib.stride_tricks.sliding_window_view(samples, size)[::_HOP]


class Goertzel:
    """The power at the eight tones against all power."""

    name = "goertzel"

    def __init__(self) -> None:
        moments = np.arange(_GOERTZEL) / RATE
        self._bank = np.exp(-2j * np.pi * np.outer(moments, _TONES))

    def claims(self, samples: sound.Sound) -> set[int]:
        """Every key that stands out in some window."""
        return {reading.key for reading in self.readings(samples)}

    def readings(self, samples: sound.Sound) -> list[Reading]:
        """Every window in which a key stands out."""
        windows = _windows(samples, _GOERTZEL)
        power = np.abs(windows @ self._bank) ** 2 * 2 / _GOERTZEL**2
        total = (windows**2).mean(1)
        low, high = power[:, :4], power[:, 4:]
        share = (low.max(1) + high.max(1)) / np.maximum(total, _QUIET)
        weaker = np.minimum(low.max(1), high.max(1)) / np.maximum(total, _QUIET)
        sure = (share > _SURE) & (weaker > 0.06) & (total > _QUIET)
        pairs = low.argmax(1) * 4 + high.argmax(1)
        return [Reading(_KEY_OF_PAIR[pairs[index]], windows[index]) for index in np.flatnonzero(sure)]


class Trained:
    """Ridge regression from a window's spectrum to the key it shows, or none."""

    name = "trained"

    def __init__(self, seed: int = 5) -> None:
        rng = np.random.default_rng(seed)
        rows, classes = [], []
        for _ in range(6000):
            key = int(rng.integers(16))
            level = rng.uniform(-27, -3)
            tones = sound.key_sound(
                key, 4 * _HOP, dbm0=level, twist=rng.uniform(-8, 4), off=(rng.uniform(-0.015, 0.015),) * 2, rng=rng
            )
            below = np.sqrt(sound.power_of(level - rng.uniform(8, 30)))
            rows.append(_clear(tones + sound.speech(len(tones), rng) * below))
            classes.append(key)
        for _ in range(6000):
            make = (sound.speech, sound.babble, sound.music)[rng.integers(3)] if rng.random() < 0.1 else sound.speech
            rows.append(_clear(make(4 * _HOP, rng) * np.sqrt(sound.power_of(rng.uniform(-35, -10)))))
            classes.append(_NONE)
        features = _features(np.array(rows))
        wanted = np.eye(_CLASSES)[classes]
        square = features.T @ features + 0.5 * np.eye(features.shape[1])
        self._weights = np.asarray(np.linalg.solve(square, features.T @ wanted), np.float64)

    def claims(self, samples: sound.Sound) -> set[int]:
        """Every key that some window shows more than anything else."""
        return {reading.key for reading in self.readings(samples)}

    def readings(self, samples: sound.Sound) -> list[Reading]:
        """Every window that shows a key more than anything else."""
        windows = _windows(samples, _SPECTRUM)
        loud = (windows**2).mean(1) > _QUIET
        scores = _features(windows) @ self._weights
        best = scores.argmax(1)
        sure = loud & (best != _NONE) & (scores.max(1) > 0.55)
        return [Reading(int(best[index]), windows[index]) for index in np.flatnonzero(sure)]


def _clear(samples: sound.Sound) -> sound.Sound:
    return np.asarray(PCMU.decode(PCMU.encode(samples).tobytes()), np.float64)


def _features(windows: sound.Sound) -> sound.Sound:
    spectrum = np.abs(np.fft.rfft(windows * np.hanning(_SPECTRUM), axis=1))
    scale = np.sqrt((spectrum**2).sum(1, keepdims=True)) + 1e-9
    bands = spectrum[:, _BANDS] / scale
    pairs = (bands[:, :11, None] * bands[:, None, 12:]).reshape(len(bands), -1)
    return np.concatenate([bands, pairs * 3, np.ones((len(bands), 1))], 1)


@dataclass
class Verdict:
    """Of one judge over many calls: keys, how many it read, and how many planted ones it found.

    `chance`: keys that it names too, but only from windows that are, sample by sample, what the client's surroundings
    sounded like without any key. Speech or music that happens to look like the key tells nothing of it. `where`: call
    and key, each by its number, of what was read, and the calls whose planted key was not found, to be played again.
    """

    keys: int = 0
    read: int = 0
    chance: int = 0
    planted: int = 0
    found: int = 0
    where: list[tuple[int, int]] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(
            keys=self.keys + other.keys,
            read=self.read + other.read,
            chance=self.chance + other.chance,
            planted=self.planted + other.planted,
            found=self.found + other.found,
            where=self.where + other.where,
            missed=self.missed + other.missed,
        )
