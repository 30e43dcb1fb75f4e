"""Amounts as people write them in the US, the UK, the EU, Switzerland, Japan and Kuwait. Pure.

What can be read in two ways is asked about, never guessed: "1.240" is 1,240 euros in Munich and 1.24 in Dublin.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.numbers import get_currency_name, get_currency_precision

from chassis.typed.text import describe, plain

_DIGITS_AT_MOST: Final = 12
_LOCALE: Final = Locale.parse("en_US")
# Arabic's own separators, and every apostrophe and blank that Switzerland and France group with.
_MARKS: Final = str.maketrans(
    {"\u066b": ".", "\u066c": ",", "\u060c": ",", "\u3001": ",", "\u00b7": "."} | dict.fromkeys("’‘ʼ´`′＇", "'")
)
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:([ ',.])[0-9]{3})(?:\1[0-9]{3})*")
# What stands for a currency beside its code; the first that fits, so the longer ones stand first.
_SIGNS: Final = (
    ("US$", ("USD",)),
    ("US $", ("USD",)),
    ("U.S.$", ("USD",)),
    ("U.S. $", ("USD",)),
    ("CA$", ("CAD",)),
    ("CAN$", ("CAD",)),
    ("CDN$", ("CAD",)),
    ("C$", ("CAD",)),
    ("AU$", ("AUD",)),
    ("A$", ("AUD",)),
    ("NZ$", ("NZD",)),
    ("HK$", ("HKD",)),
    ("S$", ("SGD",)),
    ("MX$", ("MXN",)),
    ("$", ("USD", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN")),
    ("€", ("EUR",)),
    ("£", ("GBP",)),
    ("¥", ("JPY", "CNY")),
    ("円", ("JPY",)),
    ("SFR.", ("CHF",)),
    ("SFR", ("CHF",)),
    ("FR.", ("CHF",)),
    ("FR", ("CHF",)),
    ("K.D.", ("KWD",)),
    ("KD", ("KWD",)),
    ("د.ك.", ("KWD",)),
    ("د.ك", ("KWD",)),
    ("DKR", ("DKK",)),
    ("KR.", ("NOK", "SEK", "DKK", "ISK")),
    ("KR", ("NOK", "SEK", "DKK", "ISK")),
    ("EUROS", ("EUR",)),
    ("EURO", ("EUR",)),
    ("US DOLLARS", ("USD",)),
    ("US DOLLAR", ("USD",)),
    ("DOLLARS", ("USD", "CAD", "AUD", "NZD", "HKD", "SGD")),
    ("DOLLAR", ("USD", "CAD", "AUD", "NZD", "HKD", "SGD")),
    ("POUNDS STERLING", ("GBP",)),
    ("POUNDS", ("GBP",)),
    ("POUND", ("GBP",)),
    ("FRANCS", ("CHF",)),
    ("FRANKEN", ("CHF",)),
    ("YEN", ("JPY",)),
    ("DINARS", ("KWD", "BHD", "JOD", "TND")),
    ("DINAR", ("KWD", "BHD", "JOD", "TND")),
    ("₹", ("INR",)),
    ("RS.", ("INR", "PKR", "LKR", "NPR")),
    ("RS", ("INR", "PKR", "LKR", "NPR")),
    ("RUPEES", ("INR", "PKR", "LKR", "NPR")),
    ("₩", ("KRW",)),
    ("₪", ("ILS",)),
    ("₺", ("TRY",)),
    ("ZŁ", ("PLN",)),
    ("KČ", ("CZK",)),
    ("元", ("CNY",)),
)
# Where people group by two digits before the last three: 12,34,567.
_IN_LAKHS: Final = frozenset({"INR", "PKR", "NPR", "BDT"})
_LAKHS: Final = re.compile(r"[0-9]{1,2}(?:,[0-9]{2}){1,4},[0-9]{3}(?![0-9])")
# Dollars of others, and what ends like one: Brazil's R$, Taiwan's NT$. Nothing here is in them.
_OTHER_DOLLARS: Final = re.compile(
    r"(?<![A-Z])(?:R|NT|MEX|Z|B/|T|J|BZ|EC|BDS|TT|RD|N|FJ|SI|WS|L|G|NA)\$", re.IGNORECASE
)


class AmountError(ValueError):
    """An amount that can't be read; the message is safe to show to the person who typed it."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What was typed: digits before and after the decimal mark."""

    whole: str
    decimals: str


def read_amount(text: str, currency: str) -> int:
    """The amount in the currency's minor units. Raises AmountError with a text for the person.

    `text` may carry the currency's code or sign, as our own pages print it ("US$ 1,240.00").
    """
    for char in text:
        if unicodedata.category(char) == "No":  # ½, ², ①: a number, and no digit
            raise AmountError(f"{_IN_DIGITS[:-1]}: {describe(char)} can't be part of it.")
    # Marks first: Unicode's compatibility form of an accent is a blank and something unseen.
    typed = _unsigned(_amount_alone(plain(text.translate(_MARKS)).translate(_MARKS), currency))
    precision = get_currency_precision(currency)
    parts = _parts(typed, currency, precision)
    if len(parts.whole) > _DIGITS_AT_MOST:
        raise AmountError("That amount is too large. Check its digits.")
    value = Decimal(f"{parts.whole or 0}.{parts.decimals or 0}").scaleb(precision)
    if value != value.to_integral_value():
        raise AmountError(_too_fine(currency, precision))
    return int(value)


def currency_name(code: str) -> str:
    """ "US dollars" for USD; the code itself when CLDR has no name."""
    return str(get_currency_name(code, count=2, locale=_LOCALE))


def _amount_alone(text: str, currency: str) -> str:
    """The number without the currency beside it. Raises AmountError when that is another currency."""
    for code in re.findall(r"(?<![A-Za-z])[A-Za-z]{3}(?![A-Za-z])", text):
        if code.upper() in _LOCALE.currencies:
            _check(code.upper() == currency, code.upper(), currency)
            text = text.replace(code, " ", 1)
    if other := _OTHER_DOLLARS.search(text):
        raise AmountError(f"“{other.group()}” stands for another currency. {_IN_DIGITS}")
    for sign, meant in _SIGNS:
        # Letters beside it would make another word.
        before = r"(?<![^\W\d_])" if sign[0].isalpha() else ""
        found = re.search(rf"{before}{re.escape(sign)}(?![^\W\d_])", text, re.IGNORECASE)
        if found:
            _check(currency in meant, meant[0], currency)
            text = f"{text[: found.start()]} {text[found.end() :]}"
            break
    # Swiss and German shops write "1.240,-" for no cents, with one hyphen or two: its mark is the decimal one. Swedish
    # ones write "1 240:-", Indian ones "1,240/-".
    text = re.sub(r" ?[:/][-–—]$", "", text.strip())
    whole = re.sub(r"([.,])[-–—]{1,2}$", rf"\g<1>{'0' * get_currency_precision(currency)}", text)
    return whole.rstrip(".,") if whole != text and whole.endswith((".", ",")) else whole


def _check(same: bool, typed: str, currency: str) -> None:
    if not same:
        raise AmountError(
            f"You wrote {currency_name(typed)}, but this amount is in {currency_name(currency)} ({currency})."
        )


def _unsigned(number: str) -> str:
    if not re.search(r"[0-9]", number):
        raise AmountError("Write an amount such as 1240.00.")
    if re.match(r"[-−–—(]", number) or number.endswith(("-", "−", "–", "—")):
        raise AmountError("Write the amount without a minus, such as 1240.00.")
    number = number.removeprefix("+").strip()
    if odd := re.search(r"[^\W\d_]{1,20}|[^0-9 ',.]", number):
        said = describe(odd.group()) if len(odd.group()) == 1 else f"“{odd.group()}”"
        raise AmountError(f"{_IN_DIGITS[:-1]}: {said} can't be part of it.")
    return number


def _parts(number: str, currency: str, precision: int) -> _Parts:
    if currency in _IN_LAKHS:
        number = _LAKHS.sub(lambda found: found.group().replace(",", ""), number, count=1)
    marks = [char for char in number if char in ",."]
    if len(set(marks)) == 2:
        return _split(number, marks[-1], grouping={" ", "'", "."} if marks[-1] == "," else {" ", "'", ","})
    if not marks:
        return _Parts(_ungrouped(number, {" ", "'"}), "")
    mark = marks[0]
    if len(marks) > 1:
        return _Parts(_ungrouped(number, {mark}), "")
    whole, decimals = number.split(mark)
    if len(decimals) == 3 and decimals.isdecimal() and _could_group(whole):
        return _one_mark_and_three_digits(whole, decimals, mark, currency, precision)
    return _split(number, mark, grouping={" ", "'"})


def _could_group(whole: str) -> bool:
    """Whether three digits after it may be thousands: "1" and "240" do, "0", "1240" and "1 240" don't."""
    return whole.isdecimal() and len(whole) <= 3 and not whole.startswith("0")


def _one_mark_and_three_digits(whole: str, decimals: str, mark: str, currency: str, precision: int) -> _Parts:
    """ "1,240": thousands where the currency is at home with a decimal point and has no thousandths."""
    if mark == "," and precision < 3 and _groups_with_commas(currency):
        return _Parts(whole + decimals, "")
    thousands = f"{whole}{decimals}{'.' + '0' * precision if precision else ''}"
    fraction = decimals.rstrip("0")
    if len(fraction) > precision or not precision:
        raise AmountError(f"{_too_fine(currency, precision)} Write {thousands} if you mean thousands.")
    # What is advised must not be asked about again, so never three digits: 1.24 or 1.2340 dinars.
    fraction = fraction.ljust(min(precision, 2), "0") if len(fraction) < 3 else f"{fraction}0"
    raise AmountError(
        f"“{whole}{mark}{decimals}” can be read in two ways. Write {thousands} or {whole}.{fraction}, as you mean it."
    )


def _split(number: str, mark: str, *, grouping: set[str]) -> _Parts:
    if number.count(mark) != 1:
        raise AmountError(_ODD)
    whole, decimals = number.split(mark)
    if decimals and not decimals.isdecimal():
        raise AmountError(_ODD)
    return _Parts(_ungrouped(whole, grouping) if whole else "0", decimals)


def _ungrouped(whole: str, grouping: set[str]) -> str:
    if whole.isdecimal():
        return whole
    found = _GROUPED.fullmatch(whole)
    if found is None or found.group(1) not in grouping:
        raise AmountError(_ODD)
    return re.sub(r"[ ',.]", "", whole)


_IN_DIGITS: Final = "Write the amount in digits, such as 1240.00."
_ODD: Final = "Check where commas and points stand, or write the amount without them, such as 1240.00."


def _too_fine(currency: str, precision: int) -> str:
    if precision == 0:
        return f"Amounts in {currency_name(currency)} have no decimals."
    return f"Amounts in {currency_name(currency)} have at most {precision} decimals: nothing is smaller than that."


@cache
def _groups_with_commas(currency: str) -> bool:
    """Whether the currency's home writes 1,240.50. One that many countries share (EUR) has no home."""
    try:
        home = Locale.parse(f"und_{currency[:2]}")
    except (UnknownLocaleError, ValueError):
        return False
    symbols = home.number_symbols.get("latn", {})
    return (symbols.get("decimal"), symbols.get("group")) == (".", ",")
