"""Card numbers as the networks issue them, for laws. None is anyone's: all digits but the first few are made up."""

from hypothesis import assume
from hypothesis import strategies as st

from chassis.cards import Brand, brand_of, luhn_valid
from chassis.cards.networks import RANGES, is_of_a_network


def _checked(body: str) -> str:
    return next(body + digit for digit in "0123456789" if luhn_valid(body + digit))


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
