"""Which key was pressed: windows of one line in, each key once out. For capturing, not for masking.

Stricter than what masks: a false mask costs a moment of speech, a false digit a wrong number.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.vault.phone.signal.tones import KEY_OF_PAIR, QUIET, TONES, Windows, deviation

# A key has begun to be heard; it is believed when _BELIEVED windows in a row share this much on average.
_HEARD: Final = 0.5
_SHARE: Final = 0.70
_BELIEVED: Final = 4
_WEAKER: Final = 0.04
# Q.24: up to 1.8 % off is a key, and its windows must agree on the frequency as they go on.
_FURTHEST: Final = 0.026
# A tone this far below its own level has ended; two windows of that are a pause, not a dip under speech.
_ENDED: Final = 0.12
_PAUSE: Final = 2
# Windows without sound that a key may last through: lost packets of 60 ms.
_BRIDGED: Final = 12
_LEAST_PRESENT: Final = 0.4
# One phone's keys are equally loud: what is 12 dB below the loudest of late is none.
_FAINTER: Final = 0.06
_FADING: Final = 0.9


@dataclass(slots=True)
class _Run:
    pair: int
    low_power: float
    high_power: float
    shares: list[float] = field(default_factory=list)
    turns: list[complex] = field(default_factory=lambda: [0j, 0j])
    last: tuple[complex, complex] | None = None
    told: bool = False
    ending: int = 0
    dipped: int = 0
    missing: int = 0


class KeyHearing:
    """One line's keys."""

    def __init__(self) -> None:
        self._run: _Run | None = None
        self._loudest = 0.0

    @property
    def busy(self) -> bool:
        """Whether a key is under way, so that the next windows matter even if they are quiet."""
        return self._run is not None

    def hear(self, windows: Windows, line: int) -> list[tuple[int, int]]:
        """The keys that these windows make certain: (number by RFC 4733, index of the window)."""
        found = []
        for index in range(windows.share.shape[1]):
            key = self._window(windows, line, index)
            if key is not None:
                found.append((key, index))
        return found

    def _window(self, windows: Windows, line: int, index: int) -> int | None:
        run = self._run
        if windows.present[line, index] < _LEAST_PRESENT:
            if run is not None:
                run.missing += 1
                run.last = None
                if run.missing > _BRIDGED:
                    self._run = None
            return None
        share, pair = float(windows.share[line, index]), int(windows.pair[line, index])
        loud = windows.total[line, index] > QUIET and windows.weaker[line, index] > _WEAKER
        heard = loud and share > _HEARD
        powers = windows.power[line, index]
        if run is not None and not (heard and pair == run.pair):
            self._hold(run, powers, another=heard and pair != run.pair)
            run = self._run
        if run is None and heard:
            run = self._run = _Run(pair, float(powers[pair // 4]), float(powers[4 + pair % 4]))
        if run is None or not heard or pair != run.pair:
            return None
        self._extend(run, share, powers, windows.phasor[line, index])
        return self._believed(run)

    def _hold(self, run: _Run, powers: NDArray[np.float32], *, another: bool) -> None:
        """A window that does not show the run's key: a pause, another key, or a dip under speech."""
        low, high = float(powers[run.pair // 4]), float(powers[4 + run.pair % 4])
        run.last = None
        run.dipped += 1
        over = low < _ENDED * run.low_power or high < _ENDED * run.high_power
        run.ending = run.ending + 1 if over or another else 0
        if run.ending >= _PAUSE or (not run.told and run.dipped >= _PAUSE):
            self._run = None

    @staticmethod
    def _extend(run: _Run, share: float, powers: NDArray[np.float32], phasors: NDArray[np.complex64]) -> None:
        low, high = run.pair // 4, 4 + run.pair % 4
        run.low_power = max(run.low_power, float(powers[low]))
        run.high_power = max(run.high_power, float(powers[high]))
        run.ending = run.dipped = run.missing = 0
        now = (complex(phasors[low]), complex(phasors[high]))
        if run.last is None:
            run.shares.clear()
            run.turns = [0j, 0j]
        else:
            run.turns = [turn + new * old.conjugate() for turn, new, old in zip(run.turns, now, run.last, strict=True)]
        run.last = now
        run.shares.append(share)

    def _believed(self, run: _Run) -> int | None:
        recent = run.shares[-_BELIEVED:]
        power = run.low_power + run.high_power
        if power < _FAINTER * self._loudest:
            return None
        if run.told or len(recent) < _BELIEVED or sum(recent) / _BELIEVED < _SHARE:
            return None
        tones = TONES[[run.pair // 4, 4 + run.pair % 4]]
        if (deviation(np.array(run.turns), tones) > _FURTHEST).any():
            return None
        run.told = True
        self._loudest = max(power, _FADING * self._loudest)
        return KEY_OF_PAIR[run.pair]
