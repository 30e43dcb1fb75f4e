"""Pictures drawn by the system (LOOKS.md, Ground): a small landscape and a route, always the same for a booking."""

import hashlib
import math
from collections.abc import Iterator

from markupsafe import Markup

_WIDTH = 720
_HEIGHT = 170
_LAYERS = (("far", 92, 26), ("mid", 116, 20), ("near", 140, 13))


def trip_picture(seed: str) -> Markup:
    """Sun, three ridges or waves and a dotted route, from the booking's id. Decoration: hidden from screen readers."""
    numbers = _numbers(seed)
    sun_x, sun_y = 120 + next(numbers) * 480, 40 + next(numbers) * 26
    parts = [
        f'<rect class="wv-pic-sky" width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'<circle class="wv-pic-sun" cx="{sun_x:.0f}" cy="{sun_y:.0f}" r="{18 + next(numbers) * 8:.0f}"/>',
    ]
    parts += [f'<path class="wv-pic-{name}" d="{_ridge(numbers, level, swing)}"/>' for name, level, swing in _LAYERS]
    parts.append(_route(numbers))
    return Markup(  # noqa: S704 - built from numbers only
        f'<svg class="wv-hero-picture" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true" focusable="false">'
        f"{''.join(parts)}</svg>"
    )


def _numbers(seed: str) -> Iterator[float]:
    """Endless numbers in [0, 1) that depend on the seed alone."""
    block = seed.encode()
    while True:
        block = hashlib.sha256(block).digest()
        yield from (byte / 256 for byte in block)


def _ridge(numbers: Iterator[float], level: float, swing: float) -> str:
    """A smooth line of two waves across the picture, closed along its bottom."""
    slow, quick, phase, other = (next(numbers) for _ in range(4))
    points = []
    for x in range(0, _WIDTH + 1, 12):
        turn = x / _WIDTH * math.tau
        wave = math.sin(turn * (1 + slow * 1.5) + phase * 6.3) + 0.45 * math.sin(turn * (3 + quick * 3) + other * 6.3)
        points.append(f"{x} {level - swing * wave:.1f}")
    return f"M0 {_HEIGHT} L{' L'.join(points)} L{_WIDTH} {_HEIGHT}Z"


def _route(numbers: Iterator[float]) -> str:
    start, end = (
        (70 + next(numbers) * 120, 96 + next(numbers) * 24),
        (520 + next(numbers) * 130, 84 + next(numbers) * 24),
    )
    bend = (start[0] + end[0]) / 2, 4 + next(numbers) * 24
    curve = f"M{start[0]:.0f} {start[1]:.0f} Q{bend[0]:.0f} {bend[1]:.0f} {end[0]:.0f} {end[1]:.0f}"
    stops = "".join(f'<circle class="wv-pic-stop" cx="{x:.0f}" cy="{y:.0f}" r="5"/>' for x, y in (start, end))
    return f'<path class="wv-pic-route" d="{curve}"/>{stops}'
