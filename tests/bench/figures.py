"""From timed operations to figures: percentiles, medians over runs, ratios, and the document that is printed."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PERCENTILES = (50, 95, 99)

Span = tuple[float, float]
"""When an operation began and ended, in seconds of one clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run: operations per second from the first begin to the last end, and each operation's milliseconds."""

    per_second: float
    operations: int
    ms: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured over several runs, and beside each run its raw baselines, measured in the same round."""

    name: str
    engines: str
    runs: Sequence[Run]
    callers: int = 1
    baselines: Mapping[str, Sequence[Run]] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)  # Any: JSON

    def ratio(self, baseline: str) -> float:
        """The median, over the rounds, of this figure's rate over the baseline's rate of the same round."""
        pairs = zip(self.runs, self.baselines[baseline], strict=True)
        return statistics.median(run.per_second / raw.per_second for run, raw in pairs)


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: the least value that at least `percent` of the values do not exceed."""
    if not values:
        raise ValueError("no values, no percentile")
    if not 0 < percent <= 100:
        raise ValueError("a percentile is above 0 and at most 100")
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]


def run_of(spans: Sequence[Span], *, items: int = 1) -> Run:
    """One run from its operations; each of them handled `items` things, and the rate is that of things."""
    if not spans:
        raise ValueError("a run needs operations")
    seconds = max(end for _, end in spans) - min(begin for begin, _ in spans)
    milliseconds = [(end - begin) * 1000 for begin, end in spans]
    return Run(
        per_second=len(spans) * items / max(seconds, 1e-9),
        operations=len(spans),
        ms={f"p{percent}": percentile(milliseconds, percent) for percent in PERCENTILES},
    )


def summary(runs: Sequence[Run]) -> dict[str, Any]:  # Any: JSON
    """Medians over runs, with the lowest and highest rate, for the spread."""
    rates = [run.per_second for run in runs]
    return {
        "runs": len(runs),
        "operations": sum(run.operations for run in runs),
        "per_second": {
            "median": round(statistics.median(rates), 1),
            "lowest": round(min(rates), 1),
            "highest": round(max(rates), 1),
        },
        "ms": {
            f"p{percent}": round(statistics.median(run.ms[f"p{percent}"] for run in runs), 2) for percent in PERCENTILES
        },
    }


def entry(figure: Figure) -> dict[str, Any]:  # Any: JSON
    """A figure as it stands in the document."""
    baselines = {
        name: {**summary(runs), "ratio": round(figure.ratio(name), 3)} for name, runs in figure.baselines.items()
    }
    return {
        "name": figure.name,
        "engines": figure.engines,
        "callers": figure.callers,
        **summary(figure.runs),
        "baselines": baselines,
        **({"notes": figure.notes} if figure.notes else {}),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a figure should reach (issue 3, item 12; issue 8, 2)."""

    text: str
    figure: str
    engines: tuple[str, ...]
    callers: int
    path: tuple[str, ...]
    at_least: float | None = None
    at_most: float | None = None

    def judged(self, entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:  # Any: JSON
        """One verdict for each measured figure that the aim is about; none when it was not measured."""
        return [
            self._verdict(found)
            for found in entries
            if (found["name"], found["callers"]) == (self.figure, self.callers) and found["engines"] in self.engines
        ]

    def _verdict(self, found: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
        value: Any = found
        for name in self.path:
            value = value[name]
        wanted = self.at_least if self.at_least is not None else self.at_most
        met = value >= wanted if self.at_least is not None else value <= wanted
        return {"aim": self.text, "engines": found["engines"], "wanted": wanted, "found": value, "met": bool(met)}


AIMS = (
    Aim(
        text="StoreCard at 8 callers, as a part of raw uncoalesced hvac encrypt calls of one process",
        figure="vault.store_card",
        engines=("real",),
        callers=8,
        path=("baselines", "hvac_encrypt", "ratio"),
        at_least=0.7,
    ),
    Aim(
        text="StoreCard at 8 callers, p99 in ms",
        figure="vault.store_card",
        engines=("real",),
        callers=8,
        path=("ms", "p99"),
        at_most=60.0,
    ),
    Aim(
        text="from submit to the alert seen, p99 in ms",
        figure="submit.alert",
        engines=("embedded", "real"),
        callers=1,
        path=("ms", "p99"),
        at_most=1000.0,
    ),
    Aim(
        text="from submit to the mail accepted, p99 in ms",
        figure="submit.mail",
        engines=("embedded", "real"),
        callers=1,
        path=("ms", "p99"),
        at_most=1000.0,
    ),
    Aim(
        text="submits answered in a second, 16 clients at once",
        figure="submit.crowd",
        engines=("embedded", "real"),
        callers=16,
        path=("per_second", "median"),
        at_least=40.0,
    ),
    Aim(
        text="a submit's answer, 16 clients at once, p99 in ms",
        figure="submit.crowd",
        engines=("embedded", "real"),
        callers=16,
        path=("ms", "p99"),
        at_most=500.0,
    ),
)


def document(figures: Sequence[Figure], *, about: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    """The whole answer: what it was measured on, every figure, and the aims with what was found."""
    entries = [entry(figure) for figure in figures]
    return {**about, "figures": entries, "aims": [verdict for aim in AIMS for verdict in aim.judged(entries)]}
