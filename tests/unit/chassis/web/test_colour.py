import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chassis.web
from chassis.web.colour import (
    AA_TEXT,
    DARK_GROUNDS,
    DEFAULT_ACCENT,
    LIGHT_GROUNDS,
    accent_for,
    contrast,
    parse_hex,
    theme_css,
    to_hex,
)

TOKENS = Path(chassis.web.__file__).parent / "static" / "tokens.css"
# The machine is shared; how long one example takes says nothing.
unhurried = settings(deadline=None)
channels = st.integers(min_value=0, max_value=255)
colours = st.tuples(channels, channels, channels).map(to_hex)


@unhurried
@given(colours, st.booleans())
def test_any_colour_of_an_agency_becomes_readable_in_both_schemes(chosen: str, dark: bool) -> None:
    result = accent_for(chosen, dark=dark)
    accent = parse_hex(result.accent)
    for ground in (*(DARK_GROUNDS if dark else LIGHT_GROUNDS), result.soft, result.on_accent):
        assert contrast(accent, parse_hex(ground)) >= AA_TEXT
    assert contrast(parse_hex(result.hover), parse_hex(result.on_accent)) >= AA_TEXT


@unhurried
@given(colours, colours)
def test_contrast_is_symmetric_and_between_1_and_21(one: str, other: str) -> None:
    there, back = contrast(parse_hex(one), parse_hex(other)), contrast(parse_hex(other), parse_hex(one))
    assert there == back
    assert 1 <= there <= 21.0001


def test_contrast_of_black_and_white_is_21() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)


def test_a_colour_that_reads_already_is_left_as_it_is() -> None:
    assert accent_for(DEFAULT_ACCENT, dark=False).accent == DEFAULT_ACCENT


@pytest.mark.parametrize("text", ["", "teal", "#12345", "12345g", "#0f6b6b;color:red"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="six digits"):
        parse_hex(text)


@unhurried
@given(colours)
def test_the_theme_sheet_holds_nothing_but_colours(chosen: str) -> None:
    values = re.findall(r"--wv-[\w-]+:([^;}]+)", theme_css(chosen))
    assert len(values) == 12
    assert all(re.fullmatch(r"#[0-9a-f]{6}", value) for value in values)


def _schemes() -> dict[str, dict[str, str]]:
    css = re.sub(r"/\*.*?\*/", "", TOKENS.read_text(), flags=re.DOTALL)
    blocks = re.findall(r"([^{}]+)\{([^{}]*)\}", css)

    def variables(body: str) -> dict[str, str]:
        return dict(re.findall(r"(--wv-[\w-]+):\s*([^;]+);", body))

    found: dict[str, dict[str, str]] = {}
    for selector, body in blocks:
        found.setdefault(selector.strip(), {}).update(variables(body))
    light = found[":root"]
    return {
        "light": light,
        "dark by system": {**light, **found[':root:not([data-theme="light"])']},
        "dark by choice": {**light, **found[':root[data-theme="dark"]']},
    }


PAIRS = [
    *[(text, ground) for text in ("ink", "muted", "accent", "danger") for ground in ("paper", "surface", "sunken")],
    ("accent", "accent-soft"),
    ("ink", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("danger", "danger-soft"),
    ("on-danger", "danger-solid"),
    ("on-danger", "danger-solid-hover"),
    ("waiting", "waiting-soft"),
    ("done", "done-soft"),
    ("ink", "danger-soft"),
    ("ink", "waiting-soft"),
    ("ink", "done-soft"),
    ("waiting", "surface"),
    ("done", "surface"),
    ("on-card", "card-from"),
    ("on-card", "card-to"),
]


@pytest.mark.parametrize("scheme", ["light", "dark by system", "dark by choice"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_the_tokens_read_on_their_grounds(scheme: str, text: str, ground: str) -> None:
    values = _schemes()[scheme]
    assert contrast(parse_hex(values[f"--wv-{text}"]), parse_hex(values[f"--wv-{ground}"])) >= AA_TEXT


@pytest.mark.parametrize("scheme", ["light", "dark by system", "dark by choice"])
@pytest.mark.parametrize("ground", ["surface", "paper"])
def test_the_edges_of_fields_can_be_seen(scheme: str, ground: str) -> None:
    values = _schemes()[scheme]
    assert contrast(parse_hex(values["--wv-border-strong"]), parse_hex(values[f"--wv-{ground}"])) >= 3


def test_both_ways_to_be_dark_are_the_same() -> None:
    schemes = _schemes()
    assert schemes["dark by system"] == schemes["dark by choice"]


def test_the_grounds_that_accents_are_measured_on_are_the_tokens() -> None:
    schemes = _schemes()
    names = ("--wv-surface", "--wv-paper", "--wv-sunken")
    assert {schemes["light"][name] for name in names} == set(LIGHT_GROUNDS)
    assert {schemes["dark by system"][name] for name in names} == set(DARK_GROUNDS)
