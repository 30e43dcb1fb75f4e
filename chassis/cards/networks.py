"""The one table of card networks: whose a number is, how long it may be, how it is printed, what its code is like.

Sources, as of November 2026:
- ISO/IEC 7812-1 (at most 19 digits, Luhn check digit), Wikipedia "Payment card number" (ranges, lengths in use),
- braintree/credit-card-type 10.3 (MIT: Elo, Hiper, Naranja, Troy, Verve, UnionPay, what each calls its code),
- bendrucker/creditcards-types 4.0 (MIT: Dankort, Forbrugsforeningen, mada, Meeza, UATP),
- Mastercard's and Discover's acquirer guides (2221-2720; 6011, 644-65), NPCI's BIN list (RuPay),
- Paystack's published test cards (Verve 506066).
A number of no network here is a "Card": an agent reads the brand to a supplier, so none is guessed.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, groupby, pairwise
from typing import Final

# ISO/IEC 7812-1 allows 8 to 19 digits; the shortest that any network here issues are Maestro's.
SHORTEST: Final = 12
LONGEST: Final = 19


class Brand(StrEnum):
    """A card network; `OTHER` for numbers of none below."""

    VISA = "visa"
    MASTERCARD = "mastercard"
    AMEX = "amex"
    DISCOVER = "discover"
    DINERS = "diners"
    JCB = "jcb"
    UNIONPAY = "unionpay"
    MAESTRO = "maestro"
    ELO = "elo"
    HIPER = "hiper"
    HIPERCARD = "hipercard"
    NARANJA = "naranja"
    VERVE = "verve"
    RUPAY = "rupay"
    MIR = "mir"
    TROY = "troy"
    UATP = "uatp"
    DANKORT = "dankort"
    FORBRUGSFORENINGEN = "forbrug"
    MADA = "mada"
    MEEZA = "meeza"
    BORICA = "borica"
    UKRCARD = "ukrcard"
    UZCARD = "uzcard"
    HUMO = "humo"
    NAPAS = "napas"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What a network's cards have in common. A size of 0 among `cvv` = there are cards without a security code."""

    brand: Brand
    words: str
    cvv: tuple[int, ...] = (3,)
    cvv_name: str = "CVV"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers that begin with `first` to `last` (as many digits each), and the lengths in use there."""

    first: int
    last: int
    digits: int
    brand: Brand
    lengths: frozenset[int]


NETWORKS: Final[dict[Brand, Network]] = {
    network.brand: network
    for network in (
        Network(brand=Brand.VISA, words="Visa"),
        Network(brand=Brand.MASTERCARD, words="Mastercard", cvv_name="CVC"),
        Network(brand=Brand.AMEX, words="American Express", cvv=(4,), cvv_name="CID"),
        Network(brand=Brand.DISCOVER, words="Discover", cvv_name="CID"),
        Network(brand=Brand.DINERS, words="Diners Club"),
        Network(brand=Brand.JCB, words="JCB"),
        # Many debit cards of these have none.
        Network(brand=Brand.UNIONPAY, words="UnionPay", cvv=(0, 3), cvv_name="CVN"),
        Network(brand=Brand.MAESTRO, words="Maestro", cvv=(0, 3), cvv_name="CVC"),
        Network(brand=Brand.ELO, words="Elo", cvv_name="CVE"),
        Network(brand=Brand.HIPER, words="Hiper", cvv_name="CVC"),
        Network(brand=Brand.HIPERCARD, words="Hipercard", cvv_name="CVC"),
        Network(brand=Brand.NARANJA, words="Naranja"),
        Network(brand=Brand.VERVE, words="Verve"),
        Network(brand=Brand.RUPAY, words="RuPay"),
        Network(brand=Brand.MIR, words="Mir", cvv_name="CVP2"),
        Network(brand=Brand.TROY, words="Troy"),
        # The airlines' own travel card.
        Network(brand=Brand.UATP, words="UATP", cvv=(0, 3, 4)),
        Network(brand=Brand.DANKORT, words="Dankort"),
        Network(brand=Brand.FORBRUGSFORENINGEN, words="Forbrugsforeningen"),
        Network(brand=Brand.MADA, words="mada"),
        Network(brand=Brand.MEEZA, words="Meeza"),
        Network(brand=Brand.BORICA, words="BORICA", cvv=(0, 3)),
        Network(brand=Brand.UKRCARD, words="UkrCard", cvv=(0, 3)),
        Network(brand=Brand.UZCARD, words="UzCard", cvv=(0, 3)),
        Network(brand=Brand.HUMO, words="Humo", cvv=(0, 3)),
        Network(brand=Brand.NAPAS, words="Napas", cvv=(0, 3)),
        Network(brand=Brand.OTHER, words="Card", cvv=(0, 3, 4)),
    )
}

_UP_TO_19: Final = "16-19"
# Brand, lengths, beginnings. Of several that fit a number, the one with the most digits counts.
_PUBLISHED: Final[tuple[tuple[Brand, str, str], ...]] = (
    (Brand.VISA, "13 16 19", "4"),
    (Brand.MASTERCARD, "16", "51-55 2221-2720"),
    (Brand.AMEX, "15", "34 37"),
    (Brand.DISCOVER, _UP_TO_19, "6011 644-649 65"),
    (Brand.DINERS, "14-19", "300-305 3095 36 38 39"),
    (Brand.JCB, _UP_TO_19, "3528-3589"),
    (Brand.JCB, "15", "1800 2131"),
    (Brand.UNIONPAY, _UP_TO_19, "62 810-817"),
    (Brand.MAESTRO, "12-19", "5018 5020 5038 5893 56 57 58 6304 639 67"),
    (
        Brand.ELO,
        "16",
        (
            "401178 401179 431274 438935 451416 457393 457631 457632 504175 506699-506778 509000-509999 627780 636297 "
            "636368 650031-650033 650035-650051 650405-650439 650485-650538 650541-650598 650700-650718 650720-650727 "
            "650901-650922 650924-650978 651652-651679 655000-655019 655021-655058"
        ),
    ),
    (Brand.HIPER, "16", "637095 63737423 63743358 637568 637599 637600 637609 637612"),
    (Brand.HIPERCARD, "16", "606282"),
    (Brand.NARANJA, "16", "589562"),
    (Brand.VERVE, "16 18 19", "506066 506099-506198 507865-507964 650002-650027"),
    (Brand.RUPAY, "16", "508500-508999 606985-607984 608001-608500 652150-653149 817200-820199"),
    (Brand.MIR, _UP_TO_19, "2200-2204"),
    (
        Brand.TROY,
        "16",
        (
            "9792 650052 650082 650083 650092 650161 650170 650173 650175 650268 650271 650273 650274 650456 650457 "
            "650836 650846-650850 650923 650987 650990 654997 657366 657998 658758 658767 658768"
        ),
    ),
    (Brand.UATP, "15", "1"),
    (Brand.DANKORT, "16", "5019"),
    (Brand.FORBRUGSFORENINGEN, "16", "600722"),
    (Brand.MADA, "16", "588845-588851 588982 588983 589005 589206 604906 605141 636120 968201-968211"),
    (Brand.MEEZA, "16", "507803 507808-507810"),
    (Brand.BORICA, "16", "2205"),
    (Brand.UKRCARD, _UP_TO_19, "60400100-60420099"),
    (Brand.UZCARD, "16", "8600 5614"),
    (Brand.HUMO, "16", "9860"),
    (Brand.NAPAS, "16 19", "9704"),
)


def _spans(text: str) -> Iterator[tuple[str, str]]:
    for item in text.split():
        first, _, last = item.partition("-")
        yield first, last or first


def _ranges() -> Iterator[Range]:
    for brand, lengths, beginnings in _PUBLISHED:
        allowed = frozenset(n for first, last in _spans(lengths) for n in range(int(first), int(last) + 1))
        for first, last in _spans(beginnings):
            yield Range(first=int(first), last=int(last), digits=len(first), brand=brand, lengths=allowed)


RANGES: Final[tuple[Range, ...]] = tuple(sorted(_ranges(), key=lambda each: (-each.digits, each.first)))
"""Every range, those with the most digits first: the first that fits is the right one."""
# The same, to be searched: size of the beginning, largest first -> (where each range begins, the ranges).
_BY_SIZE: Final = {
    size: ([each.first for each in found], found)
    for size, found in ((key, list(ranges)) for key, ranges in groupby(RANGES, key=lambda each: each.digits))
}
BEGINNING: Final = max(_BY_SIZE)
"""No network is told by more digits than this."""
ANY_LENGTH: Final = frozenset(range(SHORTEST, LONGEST + 1))


def luhn_valid(digits: str | bytearray) -> bool:
    """Whether digits pass the Luhn check (ISO/IEC 7812-1, Annex B). A bytearray is judged where it is, uncopied."""
    total = 0
    for index, char in enumerate(reversed(digits.encode() if isinstance(digits, str) else digits)):
        digit = char - 48
        if index % 2:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return total % 10 == 0


def _range_of(digits: str) -> Range | None:
    for size, (firsts, ranges) in _BY_SIZE.items():
        prefix = int(digits[:size] or 0)
        at = bisect_right(firsts, prefix) - 1
        if len(digits) >= size and at >= 0 and prefix <= ranges[at].last:
            return ranges[at]
    return None


def brand_of(digits: str) -> Brand:
    """The network of a number, by its first digits; OTHER where none below is known to issue it."""
    found = _range_of(digits)
    return found.brand if found else Brand.OTHER


def network_of(digits: str) -> Network:
    """As `brand_of`, with what its cards have in common."""
    return NETWORKS[brand_of(digits)]


def known_lengths(digits: str) -> frozenset[int]:
    """How many digits numbers that begin so have; anything from 12 to 19 for those of no known network."""
    found = _range_of(digits)
    return found.lengths if found else ANY_LENGTH


def is_of_a_network(digits: str) -> bool:
    """Whether some network issues numbers with this beginning and this length."""
    found = _range_of(digits)
    return found is not None and len(digits) in found.lengths


def _known(brand: str) -> Network:
    try:
        return NETWORKS[Brand(brand)]
    except ValueError:
        return NETWORKS[Brand.OTHER]


def brand_words(brand: str) -> str:
    """A brand as every page, mail and paper calls it; "Card" for one that isn't known."""
    return _known(brand).words


def cvv_sizes(brand: str) -> tuple[int, ...]:
    """How many digits the brand's security code may have; with 0 where there are cards without one."""
    return _known(brand).cvv


def grouping(brand: str, length: int) -> tuple[int, ...]:
    """The sizes of the groups in which a number of this brand is printed: 4-6-5 for American Express."""
    match brand, length:
        case Brand.AMEX, _:
            sizes: tuple[int, ...] = (4, 6, 5)
        case Brand.DINERS, n if n <= 14:
            sizes = (4, 6, 4)
        case Brand.UATP, _:
            sizes = (4, 5, 6)
        case _:
            sizes = (4, 4, 4, 4)
    ends = [end for end in accumulate(sizes) if end < length]
    return tuple(end - start for start, end in pairwise((0, *ends, length)))


def grouped(brand: str, digits: str) -> list[str]:
    """The digits in the groups that are printed on the card."""
    ends = accumulate(grouping(brand, len(digits)))
    return [digits[start:end] for start, end in pairwise((0, *ends))]
