"""docs/security.md, Availability under nonsense: no text of a stranger is matched by a pattern that is not linear.

Every pattern that the code compiles is matched against texts made to make it go back: a run of each letter that the
pattern knows, runs of pairs of them, and each with an end that does not fit. Twice the text, more than four times the
time, is a pattern to write anew.
"""

import ast
import re
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

_CALLS = {"compile", "match", "fullmatch", "search", "sub", "split", "findall", "finditer", "subn"}
_LONG = 6_000
# What even a slow machine takes no longer for, were it linear.
_BUDGET_SECONDS = 0.25


def _patterns() -> Iterator[tuple[str, str | bytes]]:
    for path in sorted([*ROOT.glob("chassis/**/*.py"), *ROOT.glob("services/**/*.py")]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.func.attr in _CALLS
                and node.args
                and (text := _text(node.args[0])) is not None
            ):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def _text(node: ast.expr) -> str | bytes | None:
    """A literal pattern; the parts of an f-string that are not literal stand for a letter."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
    return None


PATTERNS = dict(_patterns())


def _adversarial(pattern: str) -> Iterator[str]:
    known = sorted(set(re.sub(r"\\[a-zA-Z]", "", pattern)) & set("-.,/<=&;:_@+'"))
    letters = [*"1a ", *known[:2]]
    for letter in letters:
        yield letter * _LONG + "\x00"
        yield f"{letter} " * (_LONG // 2) + "\x00"


def _slowest(compiled: "re.Pattern[str] | re.Pattern[bytes]", pattern: str) -> float:
    worst = 0.0
    for text in _adversarial(pattern):
        subject = text.encode() if isinstance(compiled.pattern, bytes) else text
        started = time.process_time()
        list(compiled.finditer(subject))  # type: ignore[arg-type]
        worst = max(worst, time.process_time() - started)
        if worst > _BUDGET_SECONDS:
            break
    return worst


def test_there_are_patterns_to_look_at() -> None:
    assert len(PATTERNS) > 40
    assert any(place.startswith("chassis/cards/detector.py") for place in PATTERNS)


@pytest.mark.parametrize(
    "folder", ["chassis", "services/crm", "services/portal", "services/vault", "services/notifier"]
)
def test_no_pattern_takes_longer_than_its_text_is_long(folder: str) -> None:
    slow = []
    for place, pattern in PATTERNS.items():
        if not place.startswith(folder):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = re.compile(pattern)
        plain = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
        if _slowest(compiled, plain) > _BUDGET_SECONDS:
            slow.append(f"{place}: {plain[:80]}")
    assert slow == []


def test_a_quadratic_pattern_is_found() -> None:
    assert _slowest(re.compile(r"\d+(?: \d+)+"), r"\d+(?: \d+)+") > _BUDGET_SECONDS


def test_the_test_reads_this_repository() -> None:
    assert (ROOT / "chassis" / "cards" / "detector.py").is_file()
    assert Path(__file__).is_relative_to(ROOT)
