import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.typed.emails import clean_address
from chassis.typed.text import clean_line, clean_text, describe, draws, has_letter, plain
from tests.support.typed import BLANKS, DIGITS, NOTHING, UNSEEN, as_pasted, in_other_digits


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("\u202d+1 305 555 0142\u202c", "+1 305 555 0142"),
        ("\u2068Maria\u2069", "Maria"),
        ("Maria\u00a0Garcia", "Maria Garcia"),
        ("Anne\u2011Marie", "Anne-Marie"),
        ("Smi\u200bth", "Smith"),
        ("Jose\u0301", "José"),
        ("ＭＡＲＩＡ　ＧＡＲＣＩＡ", "MARIA GARCIA"),
        ("o\ufb03ce", "office"),
        ("𝓜aria", "Maria"),
        ("ﾏﾘｱ", "マリア"),
        ("  a \t b\n", "a b"),
        ("Elena\x00\x1b", "Elena"),
        ("O’Brien", "O’Brien"),
        ("Mª José", "Mª José"),
        ("½ m²", "½ m²"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("葛\U000e0100城", "葛\U000e0100城"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("\ud800x\ufffe", "x"),
        ("O\x92Brien \x96 Jos\x8e", "O’Brien – JosŽ"),
        ("അവന്\u200d", "അവന്\u200d"),
        ("ක්\u200dෂ", "ක්\u200dෂ"),
        ("ᠮᠣᠩᠭᠣᠯ\u180eᠠ", "ᠮᠣᠩᠭᠣᠯ\u180eᠠ"),
        ("ᠭ\u180b", "ᠭ\u180b"),
        ("Maria\u180e", "Maria"),
        ("Ma\u200dria", "Maria"),
    ],
)
def test_a_line_is_what_was_meant(typed: str, meant: str) -> None:
    assert clean_line(typed) == meant


def test_a_text_keeps_its_lines() -> None:
    assert (
        clean_text("\ufeffDear Ana,\r\n\r\n\ttwo\u00a0things\u200b\u2028three\n")
        == "Dear Ana,\r\n\r\n\ttwo things\nthree"
    )


@given(st.text())
def test_what_is_clean_stays_as_it_is(typed: str) -> None:
    for clean in (clean_text, clean_line, plain):
        once = clean(typed)
        assert clean(once) == once
        assert unicodedata.is_normalized("NFC", once)


# Names whose drawing needs characters that draw nothing by themselves.
_NEEDED = (
    "می\u200cخواهم",
    "अन्\u200dष",
    "ක්\u200dෂ",
    "അവന്\u200d",
    "ᠰᠠᠷ\u180eᠠ",
    "👩\u200d👧",
    "葛\U000e0100",
    "র\u200d্য",
)


@given(st.lists(st.sampled_from((*_NEEDED, "Maria", "O’Brien")), min_size=1, max_size=3), st.sampled_from(BLANKS))
def test_what_a_name_is_drawn_with_stays(names: list[str], blank: str) -> None:
    assert clean_line(blank.join(names)) == " ".join(names)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn"), max_codepoint=0xFF), max_size=20))
def test_what_was_pasted_from_windows_1252_is_read_as_it_was_written(text: str) -> None:
    typed = text + "“don’t – Žižek”"
    as_read = typed.encode("cp1252", errors="replace").decode("latin-1")
    assert clean_line(as_read) == clean_line(typed.encode("cp1252", errors="replace").decode("cp1252"))


@given(st.text(alphabet=UNSEEN + "".join(NOTHING), max_size=20))
def test_what_draws_nothing_is_nothing(typed: str) -> None:
    assert clean_line(typed) == ""
    assert not draws(typed)
    assert not has_letter(typed)


@given(as_pasted(st.from_regex(r"[0-9]{1,4}( [0-9]{1,4}){0,4}", fullmatch=True)))
def test_pasted_digits_are_ascii(typed: str) -> None:
    assert plain(typed).replace(" ", "").isdecimal()
    assert plain(typed).isascii()


@given(st.from_regex(r"[0-9]{1,12}", fullmatch=True), st.sampled_from("²³¹⁴₂½¾①⑳⓪º"))
def test_a_mark_beside_a_number_is_no_digit_of_it(digits: str, mark: str) -> None:
    assert plain(digits + mark) == digits + mark
    assert plain(f"m{mark}@example.com") != plain(f"m{unicodedata.normalize('NFKC', mark)}@example.com")


@pytest.mark.parametrize("digits", DIGITS)
def test_every_scripts_digits_are_read(digits: str) -> None:
    assert plain(in_other_digits("+1 305 555 0142", digits)) == "+1 305 555 0142"


@pytest.mark.parametrize(
    ("char", "words"), [("é", "“é”"), (" ", "a blank"), ("\u200d", "zero width joiner"), ("\x00", "U+0000")]
)
def test_what_is_refused_can_be_named(char: str, words: str) -> None:
    assert words.lower() in describe(char).lower()


@pytest.mark.parametrize(
    "typed",
    [
        "maria@example.com\u200b",
        "\ufeffmaria@example.com",
        "ｍａｒｉａ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "mailto:maria@example.com",
        "Maria Garcia <maria@example.com>",
        " maria@example.com, ",
    ],
)
def test_an_address_is_taken_out_of_what_was_pasted_around_it(typed: str) -> None:
    assert clean_address(typed) == "maria@example.com"
