"""The proof in parts, as many at once as the machine has processors, added up; how far it is goes to stderr."""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cache

from tests.proof.phone import run
from tests.proof.phone.judges import Verdict

# So many calls at once in one world: each trouble meets half of the transports.
_CALLS = 30
_MINUTES = 5


@dataclass
class Found:
    """Of one part, or of several added up."""

    calls: int = 0
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    events_passed: int = 0
    tone_samples: set[int] = field(default_factory=set)
    dots: list[float] = field(default_factory=list)
    up_to_two: run.Rightness = field(default_factory=run.Rightness)
    in_all: run.Rightness = field(default_factory=run.Rightness)
    plain: run.Comfort = field(default_factory=run.Comfort)
    keyed: run.Comfort = field(default_factory=run.Comfort)

    def __add__(self, other: "Found") -> "Found":
        names = {**self.verdicts, **other.verdicts}
        verdicts = {name: self.verdicts.get(name, Verdict()) + other.verdicts.get(name, Verdict()) for name in names}
        return Found(
            calls=self.calls + other.calls,
            verdicts=verdicts,
            events_passed=self.events_passed + other.events_passed,
            tone_samples=self.tone_samples | other.tone_samples,
            dots=self.dots + other.dots,
            up_to_two=self.up_to_two + other.up_to_two,
            in_all=self.in_all + other.in_all,
            plain=self.plain + other.plain,
            keyed=self.keyed + other.keyed,
        )


_judges = cache(run.judges)


def _calls(seeds: range) -> Found:
    conversations = run.calls(seeds)
    return Found(
        calls=len(conversations),
        verdicts={judge.name: run.judged(judge, conversations) for judge in _judges()},
        events_passed=run.events_passed(conversations),
        tone_samples=run.tone_lengths(conversations),
        dots=run.waits_for_dots(conversations),
        up_to_two=run.rightness(conversations, most_loss=0.02),
        in_all=run.rightness(conversations, most_loss=1.0),
    )


def _speech(seed: int, minutes: int) -> Found:
    return Found(
        plain=run.comfort(lines=minutes, seconds=60, seed=seed),
        keyed=run.comfort(lines=minutes, seconds=60, seed=seed, keying=True),
    )


def _parts(first: int, calls: int, minutes: int, submit: Callable[..., "Future[Found]"]) -> list["Future[Found]"]:
    played = [submit(_calls, range(at, min(at + _CALLS, first + calls))) for at in range(first, first + calls, _CALLS)]
    spoken = [submit(_speech, at, min(_MINUTES, minutes - at)) for at in range(0, minutes, _MINUTES)]
    return played + spoken


def _added(parts: Sequence["Future[Found]"]) -> Found:
    started, found = time.monotonic(), Found()
    for done, part in enumerate(as_completed(parts), 1):
        found += part.result()
        read = {name: verdict.read for name, verdict in found.verdicts.items()}
        print(
            f"{time.monotonic() - started:5.0f} s: part {done} of {len(parts)}, {found.calls} calls, "
            f"{found.in_all.wrong} cards wrong, keys read: {read or 'none judged yet'}",
            file=sys.stderr,
            flush=True,
        )
    return found


def played(first: int, calls: int, minutes: int) -> Found:
    """That many calls from the first seed on, and minutes of speech."""
    # Its arithmetic is small: several threads of BLAS for each process would only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        return _added(_parts(first, calls, minutes, pool.submit))
