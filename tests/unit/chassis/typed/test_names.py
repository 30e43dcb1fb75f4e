import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.typed.names import by_last_name, called, fold, full_name, name_keys, search_ways, sort_key, title_key
from tests.support.typed import APOSTROPHES, person_names


def test_names_are_sorted_as_people_sort() -> None:
    names = ["Zimmer", "adams", "de Vries", "Émile", "Ångström", "Müller", "Mueller", "O’Brien", "Ostrov", "Łukasz"]
    assert sorted(names, key=lambda name: sort_key("", name)) == [
        *("adams", "Ångström", "de Vries", "Émile", "Łukasz", "Mueller", "Müller", "O’Brien", "Ostrov", "Zimmer")
    ]


def test_somebody_with_one_name_is_sorted_by_it_wherever_it_stands() -> None:
    assert sort_key("Suharto", "") == sort_key("", "Suharto") == "suharto"
    people = [("Zoë", "Ball"), ("Anna", "Balló"), ("Anna", "Ball"), ("Ball", "")]
    assert sorted(people, key=lambda person: sort_key(*person)) == [
        *(("Ball", ""), ("Anna", "Ball"), ("Zoë", "Ball"), ("Anna", "Balló"))
    ]


@given(person_names(), person_names())
def test_a_sort_key_is_the_same_for_every_engine(first: str, last: str) -> None:
    key = sort_key(first, last)
    assert key.isascii()
    assert key == key.lower()
    assert 0 < len(key) <= 200


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_names_have_a_key_that_a_column_holds(first: str, last: str) -> None:
    assert len(sort_key(first, last)) <= 200
    assert "\x00" not in sort_key(first, last) + title_key(first) + fold(last)


@pytest.mark.parametrize("apostrophe", APOSTROPHES)
def test_apostrophes_of_every_kind_are_one(apostrophe: str) -> None:
    assert sort_key("Sean", f"O{apostrophe}Brien") == sort_key("Seán", "OBrien")
    assert search_ways(f"o{apostrophe}b") == [["ob"]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Jürgen", "Müller"), ("Juergen", "Mueller")),
        (("Anne‑Marie", "O’Brien"), ("Anne Marie", "O'BRIEN")),
        (("Maria", "Garcia"), ("Garcia", "María")),
        (("Suharto", ""), ("", "suharto")),
        (("Novak", "Đoković"), ("Novak", "Djokovic")),
    ],
)
def test_two_spellings_of_one_name_share_a_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert name_keys(*one) & name_keys(*other)


def test_different_people_share_none() -> None:
    assert not name_keys("Maria", "Garcia") & name_keys("Mario", "Garcia")
    assert not name_keys("", "") & name_keys("", "")


def test_one_name_leaves_no_stray_blank_or_comma() -> None:
    assert full_name("Suharto", "") == full_name("", "Suharto") == "Suharto"
    assert called("", "Suharto") == called("Suharto", "") == "Suharto"
    assert by_last_name("Suharto", "") == by_last_name("", "Suharto") == "Suharto"
    assert by_last_name("Maria", "Garcia") == "Garcia, Maria"
