"""Bars drawn on the server: plain numbers in, places on the page out. Pure; the template makes the SVG of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_TICKS: Final = 4
_LEFT: Final = 56
_BOTTOM: Final = 26
_TOP: Final = 10
# What the widest label ("Nov 2026") takes, with some air; where all don't fit, some are left out.
_LABEL: Final = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A row of bars: what they are, and their values, which are not negative."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar's place, which series it is of, and what it says on hover."""

    x: float
    y: float
    width: float
    height: float
    series: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A text beneath a bar, or a line of the scale with its number."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All that is to be drawn, in units of the view box."""

    width: int
    height: int
    left: int
    base: float
    bars: Sequence[Bar]
    labels: Sequence[Mark]
    scale: Sequence[Mark]


def draw(labels: Sequence[str], series: Sequence[Series], words: Sequence[Sequence[str]], *, width: int) -> Chart:
    """Bars side by side for each label. `words[series][label]` is what a bar says; the scale begins at zero."""
    height = 240 if width > 480 else 210
    base, room = height - _BOTTOM, width - _LEFT - 4
    step = nice_step(max((value for row in series for value in row.values), default=0.0))
    top = step * _TICKS
    slot = room / max(1, len(labels))
    thick = min(34.0, slot * 0.72 / max(1, len(series)))
    bars = []
    for number, row in enumerate(series):
        for index, value in enumerate(row.values):
            tall = (base - _TOP) * value / top
            middle = _LEFT + slot * (index + 0.5)
            x = middle + (number - len(series) / 2) * thick
            bars.append(
                Bar(
                    x=round(x, 1),
                    y=round(base - tall, 1),
                    width=round(max(1.0, thick - 1.5), 1),
                    height=round(tall, 1),
                    series=number,
                    words=words[number][index],
                )
            )
    every = max(1, -(-len(labels) * _LABEL // int(room)))
    marks = [
        Mark(at=round(_LEFT + slot * (index + 0.5), 1), text=text)
        for index, text in enumerate(labels)
        if index % every == 0
    ]
    scale = [
        Mark(at=round(base - (base - _TOP) * tick / _TICKS, 1), text=short(step * tick)) for tick in range(_TICKS + 1)
    ]
    return Chart(width=width, height=height, left=_LEFT, base=base, bars=bars, labels=marks, scale=scale)


def nice_step(largest: float) -> float:
    """The distance of the scale's lines: 1, 2, 2.5 or 5 times a power of ten, so that the largest value fits."""
    if largest < 1e-9:
        return 1.0
    rough, power = largest / _TICKS, 1.0
    while power * 10 <= rough:
        power *= 10
    while power > rough:
        power /= 10
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * (1 - 1e-9))


def short(value: float) -> str:
    """A number of the scale: "0", "750", "12k", "1.5M"."""
    for unit, sign in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.10g}"[:5].rstrip(".") + sign
    return f"{value:.10g}"[:6]
