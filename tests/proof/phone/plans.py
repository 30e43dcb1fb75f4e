"""What each call of the proof is like, drawn from its seed."""

from dataclasses import dataclass

import numpy as np

from chassis.cards import known_lengths, luhn_valid

# Beginnings of the networks that clients of travel agencies use most, and the length to draw.
_BEGINNINGS = (("4", 16), ("51", 16), ("2221", 16), ("37", 15), ("6011", 16), ("36", 14), ("3528", 16), ("62", 16))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One call. Times in seconds, levels in dB. `background` is `quiet`, `speech` or `music`, `below` the keys."""

    seed: int
    number: str
    expiry: str
    cvv: str
    transports: tuple[str, ...]
    key: float
    pause: float
    level: float
    twist: float
    off: tuple[float, float]
    background: str
    below: float
    loss: float
    jitter: float
    doubled: float
    law: int
    trouble: str
    pin_by_sound: bool
    early_media: bool


TROUBLES = (
    "none",
    "gap",
    "new_source",
    "new_port",
    "comfort_noise",
    "first_is_event",
    "hold",
    "reordered",
    "silence_suppressed",
    "unasked",
)
_TRANSPORTS = (("sound",), ("event",), ("sound", "event"), ("info",), ("sound", "info"), ("sound", "event", "info"))


def card_number(rng: np.random.Generator) -> str:
    """A random number of a known network that passes Luhn; it lives only in this process."""
    beginning, length = _BEGINNINGS[rng.integers(len(_BEGINNINGS))]
    while True:
        body = beginning + "".join(str(digit) for digit in rng.integers(0, 10, length - len(beginning) - 1))
        number = next(body + str(last) for last in range(10) if luhn_valid(body + str(last)))
        if length in known_lengths(number):
            return number


def plan(seed: int) -> Plan:
    """The call of that seed. Within every 60 seeds each trouble meets each transport."""
    rng = np.random.default_rng(seed)
    number = card_number(rng)
    background = ("quiet", "speech", "music")[rng.integers(3)]
    return Plan(
        seed=seed,
        number=number,
        expiry=f"{rng.integers(1, 13):02}{rng.integers(31, 40)}",
        cvv="".join(str(digit) for digit in rng.integers(0, 10, 4 if number.startswith("37") else 3)),
        transports=_TRANSPORTS[seed % len(_TRANSPORTS)],
        key=float(rng.choice([0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5])),
        pause=float(rng.choice([0.04, 0.05, 0.07, 0.1, 0.2, 0.4])),
        level=float(rng.uniform(-27, -3)),
        # Q.24: the high tone up to 4 dB above the low one, or 8 dB below.
        twist=float(rng.uniform(-8, 4)),
        off=(float(rng.uniform(-0.015, 0.015)), float(rng.uniform(-0.015, 0.015))),
        background=background,
        below=float(rng.uniform(10, 30)),
        loss=float(rng.choice([0, 0, 0.005, 0.02, 0.05])),
        jitter=float(rng.choice([0, 0.01, 0.03, 0.06])),
        doubled=float(rng.choice([0, 0, 0.05])),
        law=int(rng.choice([0, 8])),
        trouble=TROUBLES[seed // len(_TRANSPORTS) % len(TROUBLES)],
        pin_by_sound=bool(rng.integers(2)),
        early_media=bool(rng.integers(2)),
    )
