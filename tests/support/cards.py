"""Card numbers as the networks issue them, for laws. None is anyone's: all digits but the first few are made up."""

from hypothesis import assume
from hypothesis import strategies as st

from chassis.cards import Brand, brand_of, luhn_valid
from chassis.cards.networks import RANGES, is_of_a_network


def _checked(body: str) -> str:
    return next(body + digit for digit in "0123456789" if luhn_valid(body + digit))


# Published test numbers; ../shared/cases/25-card-families names the publisher of each of the first dozen.
PUBLISHED = [
    ("501800000009", "Maestro"),
    ("6759000000005", "Maestro"),
    ("6304900017740292441", "Maestro"),
    ("6771798021000008", "Maestro"),
    ("5067268650517446", "Elo"),
    ("5090510000414209", "Elo"),
    ("6362970000457013", "Elo"),
    ("5061460410120223210", "Verve"),
    ("5060666666666666666", "Verve"),
    ("6073849700004947", "RuPay"),
    ("2202123412341234", "Mir"),
    ("2223000048410010", "Mastercard"),
    ("3572660000000000006", "JCB"),
    ("30569309025904", "Diners Club"),
    ("4111111111111111", "Visa"),
    ("4222222222222", "Visa"),
    ("5555555555554444", "Mastercard"),
    ("378282246310005", "American Express"),
    ("6011111111111117", "Discover"),
    ("3566002020360505", "JCB"),
    ("6200000000000005", "UnionPay"),
    ("6062826786276634", "Hipercard"),
    ("9792030394440796", "Troy"),
    ("135410014004955", "UATP"),
    ("6007220000000004", "Forbrugsforeningen"),
    ("5019717010103742", "Dankort"),
    ("8600495473316478", "UzCard"),
]


@st.composite
def cards(draw: st.DrawFn) -> tuple[Brand, str]:
    """A number that a network might have issued, of 13 to 19 digits."""
    published = draw(st.sampled_from(RANGES))
    length = draw(st.sampled_from(sorted(published.lengths - {12})))
    beginning = str(draw(st.integers(published.first, published.last)))
    rest = draw(st.text("0123456789", min_size=length - len(beginning) - 1, max_size=length - len(beginning) - 1))
    digits = _checked(beginning + rest)
    assume(is_of_a_network(digits) and len(set(digits)) > 1)
    return brand_of(digits), digits
