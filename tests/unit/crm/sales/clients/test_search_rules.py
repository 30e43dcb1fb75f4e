import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.crm.core.export import _safe
from services.crm.core.names import fold, search_terms, text_of, words_of
from services.crm.sales.clients.rules import ClientData, search_words

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


@given(st.text(max_size=60), st.text(max_size=60))
def test_every_part_of_a_folded_name_finds_its_owner(first: str, last: str) -> None:
    text = text_of(search_words(ClientData(first_name=first, last_name=last)))
    assert all(f" {word}" in text for word in fold(first).split() + fold(last).split())


@given(st.text(max_size=60))
def test_whatever_stands_in_a_text_can_be_copied_into_the_search_field(text: str) -> None:
    assume(any(char.isalpha() for char in text))
    assert all(any(word.startswith(term) for word in words_of(text)) for term in search_terms(text))


@given(st.text(max_size=120))
def test_any_text_can_be_searched_for(typed: str) -> None:
    assert len(search_terms(typed)) <= 6


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+cmd|calc", "-1+1", "@SUM(A1)", "\tx"])
def test_a_spreadsheet_never_takes_an_exported_text_for_a_formula(text: str) -> None:
    assert _safe(text).startswith("'")


def test_an_exported_phone_number_keeps_its_plus() -> None:
    assert _safe("+1 (401) 555 0164") == "+1 (401) 555 0164"
