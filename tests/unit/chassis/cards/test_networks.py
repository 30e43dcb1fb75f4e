from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.cards import NETWORKS, Brand, brand_of, brand_words, cvv_sizes, grouped, known_lengths, luhn_valid
from chassis.cards.networks import ANY_LENGTH, RANGES, is_of_a_network
from tests.support.cards import PUBLISHED


@pytest.mark.parametrize(("digits", "words"), PUBLISHED)
def test_published_numbers_have_their_networks_name_and_length(digits: str, words: str) -> None:
    assert luhn_valid(digits)
    assert brand_words(brand_of(digits)) == words
    assert len(digits) in known_lengths(digits)
    assert is_of_a_network(digits)


def test_a_number_of_no_known_network_is_called_card_and_may_have_any_length() -> None:
    assert brand_of("5000000000000009") is Brand.OTHER
    assert brand_words("other") == brand_words("a brand of tomorrow") == brand_words("") == "Card"
    assert known_lengths("9000000000000001") == ANY_LENGTH
    assert not is_of_a_network("9000000000000001")


def test_every_brand_has_a_network_whose_name_fits_its_columns() -> None:
    assert set(NETWORKS) == set(Brand)
    assert all(len(brand) <= 16 for brand in Brand)


def test_ranges_are_sound_and_none_hides_another_of_as_many_digits() -> None:
    for each in RANGES:
        assert len(str(each.first)) == len(str(each.last)) == each.digits
        assert each.first <= each.last
        assert each.lengths <= ANY_LENGTH
    for one, other in pairwise(RANGES):
        assert one.digits > other.digits or one.last < other.first, (one, other)


@pytest.mark.parametrize(
    ("digits", "groups"),
    [
        ("378282246310005", ["3782", "822463", "10005"]),
        ("30569309025904", ["3056", "930902", "5904"]),
        ("4111111111111111", ["4111"] + ["1111"] * 3),
        ("6304900017740292441", ["6304", "9000", "1774", "0292", "441"]),
        ("135410014004955", ["1354", "10014", "004955"]),
        ("501800000009", ["5018", "0000", "0009"]),
    ],
)
def test_numbers_are_grouped_as_they_are_printed(digits: str, groups: list[str]) -> None:
    assert grouped(brand_of(digits), digits) == groups


@given(st.text(alphabet="0123456789", max_size=19))
def test_no_grouping_loses_or_moves_a_digit(digits: str) -> None:
    for brand in Brand:
        assert "".join(grouped(brand, digits)) == digits


def test_codes_have_the_sizes_that_the_networks_print() -> None:
    assert cvv_sizes("amex") == (4,)
    assert cvv_sizes("visa") == (3,)
    assert 0 in cvv_sizes("maestro")
    assert 0 in cvv_sizes("uatp")
    assert 0 not in cvv_sizes("mastercard")
