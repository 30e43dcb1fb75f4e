"""One key for every spelling of a Japanese name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.typed.japanese import key_of

_SYLLABLES = [
    ("ka",), ("ki",), ("shi", "si"), ("chi", "ti"), ("tsu", "tu"), ("fu", "hu"), ("ji", "zi"), ("sho", "syo"),
    ("cha", "tya"), ("ja", "zya", "jya"), ("no",), ("ha",), ("ya",), ("ro",), ("kku",), ("tchi", "cchi", "tti"),
]  # fmt: skip


@given(st.data())
def test_any_spelling_of_a_name_has_one_key(data: st.DataObject) -> None:
    """Long o and u in every way they are written, consonants by Hepburn and Kunrei, in any order."""
    plain, spelled = "a", "a"
    for ways in data.draw(st.lists(st.sampled_from(_SYLLABLES), min_size=1, max_size=6)):
        syllable = data.draw(st.sampled_from(ways))
        long = {"o": ["", "o", "u", "h"], "u": ["", "u"]}.get(syllable[-1], [""])
        plain += ways[0]
        spelled += syllable + data.draw(st.sampled_from(long))
    # The h before a vowel would be a consonant: no syllable of these begins with one.
    assert key_of(spelled) == key_of(plain) != ""


@pytest.mark.parametrize("word", ["", "o", "smith", "cook", "lee", "vogel", "sat", "garcia", "quinn", "a" * 41, "4111"])
def test_what_is_no_japanese_word_has_no_key(word: str) -> None:
    assert key_of(word) == ""


def test_neighbours_stay_apart() -> None:
    for one, other in (("ota", "oda"), ("ohashi", "oashi"), ("kono", "kana"), ("sano", "sanno"), ("kato", "kado")):
        assert key_of(one) != key_of(other)
