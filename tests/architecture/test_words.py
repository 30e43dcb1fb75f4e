"""The words of pages, mails and guides: people in the abstract are "they", and moments are written in one place."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.architecture.source import ROOT

_TEXTS: Final = (".html", ".txt", ".toml", ".typ")
_OF_ONE_SEX: Final = re.compile(r"\b(?:s?he|hers?|him|his|(?:him|her)self)\b", re.IGNORECASE)
_OWN_CLOCK: Final = re.compile(r"strftime|%H:%M|%I:%M|format_datetime|format_time")
# What a walk through every page found that nobody says.
_ODD: Final = re.compile(r"It stands in your|\bAsk on\b|\bSeen to\b|wished for|fit for paper|\b1 bookings\b")


def _texts() -> Iterator[Path]:
    for folder in ("services", "chassis"):
        for path in sorted((ROOT / folder).rglob("*")):
            own = not {"static", "vendor", "__pycache__", "node_modules"} & set(path.parts)
            if path.suffix in _TEXTS and own and path.name != "README.md":
                yield path


def _lines(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in _texts()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_nobody_is_he_or_she_in_what_people_read() -> None:
    assert _lines(_OF_ONE_SEX) == []


def test_no_template_writes_a_moment_in_a_way_of_its_own() -> None:
    assert _lines(_OWN_CLOCK) == []


def test_what_nobody_says_is_not_said_again() -> None:
    assert _lines(_ODD) == []


def test_there_are_texts_to_read() -> None:
    kinds = {path.suffix for path in _texts()}
    assert {".html", ".toml"} <= kinds
    assert sum(1 for _ in _texts()) > 200
