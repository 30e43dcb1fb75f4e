"""Tags, versions of what is needed, states: the rules of documents to be signed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.crm.core.course import Fact
from services.crm.signing.esign.built_in import BUILT_IN
from services.crm.signing.esign.rules import (
    COURSE,
    TAGS,
    US_STATES,
    DocumentKind,
    RequestState,
    Required,
    empty_tags,
    fill,
    missing,
    state_code,
    tag_problem,
    tags_of,
    template_errors,
    used_tags,
)


def test_an_unknown_tag_is_refused_with_the_nearest_one_or_the_list_of_known_ones() -> None:
    errors = template_errors("Terms", "Dear {ClientFirstNam}, hello {AgencyName}", DocumentKind.OWN)
    assert errors["body"] == "{ClientFirstNam} is not a tag. Did you mean {ClientFirstName}?"
    errors = template_errors("Terms", "Dear {Xyzzy}, hello {AgencyName}", DocumentKind.OWN)
    for tag in TAGS:
        assert f"{{{tag}}}" in errors["body"]
    assert "{PlanName}" not in errors["body"]
    assert template_errors("Terms", "Dear {ClientFirstName}", DocumentKind.OWN) == {}


def test_the_plans_tags_belong_to_the_insurance_offer_only() -> None:
    assert tag_problem("{PlanName}", DocumentKind.INSURANCE) == ""
    assert tag_problem("{PlanName}", DocumentKind.TERMS).startswith("{PlanName} is not a tag.")


@pytest.mark.parametrize("kind", BUILT_IN)
def test_the_texts_that_every_agency_begins_with_are_valid(kind: DocumentKind) -> None:
    title, body, _ = BUILT_IN[kind]
    assert template_errors(title, body, kind) == {}
    assert "card number" in body or kind is not DocumentKind.CARD_AUTHORIZATION


@given(st.dictionaries(st.sampled_from(list(TAGS)), st.text(min_size=1, max_size=20)), st.text(max_size=40))
def test_what_stands_in_a_value_is_never_taken_for_a_tag(values: dict[str, str], around: str) -> None:
    around = around.replace("{", "(").replace("}", ")")
    text = around.join(f"{{{tag}}}" for tag in values)
    assert fill(text, values) == around.join(values.values())
    assert fill("{ClientName}", {"ClientName": "{AgencyName}", "AgencyName": "no"}) == "{AgencyName}"


@given(st.text(max_size=200))
def test_a_text_without_values_stays_as_it_is(text: str) -> None:
    assert fill(text, {}) == text
    assert empty_tags(text, {}) == used_tags(text)


def test_what_was_signed_on_paper_is_settled() -> None:
    assert all(COURSE.after(RequestState.PAPER, fact) is None for fact in Fact)
    assert COURSE.answered(RequestState.PAPER, RequestState.SIGNED) is None


def _templates() -> list[tuple[str, str, DocumentKind, Required]]:
    return [(kind.value, title, kind, required) for kind, (title, _, required) in BUILT_IN.items()]


def test_a_booking_lacks_its_terms_and_with_a_fee_the_fee_agreement_until_somebody_has_signed() -> None:
    def lacking(states: dict[str, list[RequestState]], *, has_fee: bool) -> list[tuple[str, bool]]:
        found = missing(_templates(), states, has_fee=has_fee, card_authorized=False)
        return [(wanted.template_id, wanted.waiting) for wanted in found]

    assert lacking({}, has_fee=False) == [("terms", False)]
    assert lacking({}, has_fee=True) == [("terms", False), ("service_fee", False)]
    assert lacking({"terms": [RequestState.SENT]}, has_fee=False) == [("terms", True)]
    assert lacking({"terms": [RequestState.WITHDRAWN, RequestState.EXPIRED]}, has_fee=False) == [("terms", False)]
    assert lacking({"terms": [RequestState.SENT, RequestState.SIGNED]}, has_fee=False) == []
    assert lacking({"terms": [RequestState.PAPER]}, has_fee=False) == []


def test_an_authorization_signed_with_a_payment_counts() -> None:
    card = [("c", "Card", DocumentKind.CARD_AUTHORIZATION, Required.ALWAYS)]
    assert len(missing(card, {}, has_fee=False, card_authorized=False)) == 1
    assert missing(card, {}, has_fee=False, card_authorized=True) == []


@pytest.mark.parametrize(
    ("region", "country", "code"),
    [
        ("Florida", "US", "FL"),
        (" florida ", "", "FL"),
        ("FL", "US", "FL"),
        ("N.Y.", "US", "NY"),
        ("new  york", "US", "NY"),
        ("Florida", "UY", ""),
        ("Bavaria", "DE", ""),
        ("", "US", ""),
    ],
)
def test_a_state_is_known_however_it_was_written(region: str, country: str, code: str) -> None:
    assert state_code(region, country) == code


def test_there_are_fifty_states_and_the_district() -> None:
    assert len(US_STATES) == 51
    assert {kind for kind in DocumentKind if tags_of(kind) is not TAGS} == {DocumentKind.INSURANCE}
