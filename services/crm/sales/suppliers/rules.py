"""What is known of a supplier, and how one is recognised by its name. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from chassis.cards import Brand, brand_words
from chassis.typed.names import LONGEST_KEY, title_key
from chassis.typed.text import plain

# What one ticks: the networks that suppliers name. Nobody is warned about a card of another.
BRANDS: Final = (
    Brand.VISA,
    Brand.MASTERCARD,
    Brand.AMEX,
    Brand.DISCOVER,
    Brand.DINERS,
    Brand.JCB,
    Brand.UNIONPAY,
    Brand.MAESTRO,
)
_PERCENT: Final = re.compile(r"([0-9]{1,3})(?:[.,]([0-9]{1,2}))? ?%?")
_MOST_POINTS: Final = 100_00


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierData:
    """What an agent enters. `brands` empty = all, or not known; `commission_points` are hundredths of a percent."""

    name: str
    phone: str = ""
    payment_page: str = ""
    brands: tuple[Brand, ...] = ()
    commission_points: int | None = None
    note: str = ""

    @property
    def brands_words(self) -> str:
        """ "Visa, Mastercard and American Express"; empty when not known."""
        names = [brand_words(brand) for brand in self.brands]
        return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)

    @property
    def commission(self) -> Decimal | None:
        """In percent."""
        return Decimal(self.commission_points) / 100 if self.commission_points is not None else None

    def takes(self, brand: str) -> bool:
        """Whether a card of this network can be used there, as far as anybody knows."""
        return not self.brands or brand not in set(BRANDS) or brand in self.brands


def key_of(name: str) -> str:
    """What two spellings of one supplier's name share: no case, mark or punctuation counts."""
    return title_key(name)[:LONGEST_KEY]


def read_percent(text: str) -> int:
    """ "12", "12.5 %", "12,50" in hundredths of a percent. Raises ValueError with a text for the person."""
    found = _PERCENT.fullmatch(plain(text))
    points = int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0")) if found else _MOST_POINTS + 1
    if points > _MOST_POINTS:
        raise ValueError("Enter a percentage from 0 to 100, such as 12.5.")
    return points


def packed(brands: Sequence[Brand]) -> str:
    """Brands as they are kept."""
    return ",".join(brand for brand in BRANDS if brand in brands)


def unpacked(text: str) -> tuple[Brand, ...]:
    """Brands as they were kept; one that isn't known any more is left out."""
    known = set(text.split(","))
    return tuple(brand for brand in BRANDS if brand.value in known)
