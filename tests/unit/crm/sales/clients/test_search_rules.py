import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chassis.typed.names import search_terms, search_ways, text_of, words_of
from chassis.typed.text import draws
from services.crm.core.export import _csv_cell
from services.crm.sales.clients.rules import ClientData, search_words
from tests.support.typed import NAMES_OF_CASE_10, person_names

_BOTH_WAYS = [
    *[tuple(line.split("\t")) for line in NAMES_OF_CASE_10],
    ("O’Brien", "O Brien"),
    ("Smith-Jones", "Smith Jones"),
    ("Smith-Jones", "SmithJones"),
    ("de la Cruz", "delacruz"),
    ("Müller", "Mueller"),
    ("Müller", "Muller"),
    ("Bjørn", "Bjoern"),
    ("Bjørn", "Bjorn"),
    ("Åse", "Aase"),
    ("Đoković", "Djokovic"),
    ("Łukasz", "Lukasz"),
    ("Weiß", "Weiss"),
    ("Æther", "Aether"),
    ("Yıldız", "Yildiz"),
    ("İpek", "ipek"),
    ("ＭＡＲＩＡ", "maria"),
]

CLIENT = ClientData(
    first_name="Zoë",
    last_name="Groß-Müller",
    email="Zoe.GM@Courriel.example",
    phone="+33 1 99 00 12 34",
    second_phone="(401) 555-0164",
)


@pytest.mark.parametrize(
    "typed",
    [
        "zoe",
        "Zoë gross",
        "MULLER",
        "Müller, Zoë",
        "gm@courriel",
        "1 99 00",
        "99001234",
        "555 0164",
        "0164",
        "(401)",
        "zoe 5550164",
    ],
)
def test_a_client_is_found_however_her_name_or_number_is_written(typed: str) -> None:
    assert all(f" {term}" in text_of(search_words(CLIENT)) for term in search_terms(typed))


@pytest.mark.parametrize("typed", ["", "   ", "+", "()"])
def test_nothing_typed_asks_for_nothing(typed: str) -> None:
    assert search_terms(typed) == []


def test_somebody_else_is_not_found() -> None:
    assert not all(f" {term}" in text_of(search_words(CLIENT)) for term in search_terms("zoe smith"))


@given(person_names(), person_names())
def test_every_part_of_a_name_finds_its_owner(first: str, last: str) -> None:
    text = text_of(search_words(ClientData(first_name=first, last_name=last)))
    for word in (*first.split(), *last.split(), first, last, f"{first} {last}"):
        assert _finds(word, text)


@given(st.text(max_size=60))
def test_whatever_stands_in_a_text_can_be_copied_into_the_search_field(text: str) -> None:
    assume(draws(text))
    assert all(any(word.startswith(term) for word in words_of(text)) for term in search_terms(text))


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        *[(one, other) for one, other in _BOTH_WAYS],
        *[(other, one) for one, other in _BOTH_WAYS],
        ("O’Brien", "OBrien"),
        ("O’Brien", "o'b"),
        ("OBrien", "O Brien"),
        ("Đoković", "Dokovic"),
        ("Горбачёв", "Gorbachev"),
        ("Παπαδόπουλος", "papad"),
        ("王小明", "wangxiao"),
    ],
)
def test_a_name_is_found_however_its_letters_are_marked_stroked_folded_or_parted(stored: str, typed: str) -> None:
    assert _finds(typed, text_of(search_words(ClientData(first_name="Maya", last_name=stored))))


def _finds(typed: str, text: str) -> bool:
    return any(all(f" {term}" in text for term in way) for way in search_ways(typed))


@given(st.text(max_size=120))
def test_any_text_can_be_searched_for(typed: str) -> None:
    assert len(search_terms(typed)) <= 6


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+cmd|calc", "-1+1", "@SUM(A1)", "\tx"])
def test_a_spreadsheet_never_takes_an_exported_text_for_a_formula(text: str) -> None:
    assert _csv_cell(text).startswith("'")


def test_an_exported_phone_number_keeps_its_plus() -> None:
    assert _csv_cell("+1 (401) 555 0164") == "+1 (401) 555 0164"
