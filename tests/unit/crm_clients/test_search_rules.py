import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.crm.clients.rules import ClientData, fold, search_terms, search_text
from services.crm.csv_export import _safe

CLIENT = ClientData(
    first_name="Zoë",
    last_name="Groß-Müller",
    email="Zoe.GM@Courriel.example",
    phone="+33 1 99 00 12 34",
    second_phone="(401) 555-0164",
)


@pytest.mark.parametrize(
    "typed", ["zoe", "Zoë gross", "MULLER", "gm@courriel", "1 99 00", "99001234", "555 0164", "(401)", "zoe 5550164"]
)
def test_a_client_is_found_however_her_name_or_number_is_written(typed: str) -> None:
    assert all(term in search_text(CLIENT) for term in search_terms(typed))


@pytest.mark.parametrize("typed", ["", "   ", "+", "()"])
def test_nothing_typed_asks_for_nothing(typed: str) -> None:
    assert search_terms(typed) == []


def test_somebody_else_is_not_found() -> None:
    assert not all(term in search_text(CLIENT) for term in search_terms("zoe smith"))


@given(st.text(max_size=60), st.text(max_size=60))
def test_every_part_of_a_folded_name_finds_its_owner(first: str, last: str) -> None:
    text = search_text(ClientData(first_name=first, last_name=last))
    assert all(word in text for word in fold(first).split() + fold(last).split())


@given(st.text(max_size=120))
def test_any_text_can_be_searched_for(typed: str) -> None:
    assert len(search_terms(typed)) <= 6


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+cmd|calc", "-1+1", "@SUM(A1)", "\tx"])
def test_a_spreadsheet_never_takes_an_exported_text_for_a_formula(text: str) -> None:
    assert _safe(text).startswith("'")


def test_an_exported_phone_number_keeps_its_plus() -> None:
    assert _safe("+1 (401) 555 0164") == "+1 (401) 555 0164"
