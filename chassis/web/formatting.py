"""Money, dates, times, countries and plurals for people, by Babel."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Protocol
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_timedelta
from flask import Flask, current_app, g, has_request_context
from markupsafe import Markup, escape

from chassis.cards import brand_words
from chassis.clock import Clock
from chassis.moments import written_day, written_evidence, written_moment
from chassis.money import Money
from chassis.typed.names import title_key

LOCALE = Locale.parse("en_US")
_DATE = "EEE d MMM yyyy"
_SHORT_DATE = "d MMM"
# Zones are capitals, or an offset such as "UTC+13".
_TIME = re.compile(r"\d:\d\d(?::\d\d)? [AP]M(?: [A-Z]{2,}\S*)?")
# As Money.format writes an amount, with a space that may have become one that breaks.
_AMOUNT = re.compile(r"(?<!\w)(US\$|[A-Z]{3}) (?=\d)")
_NO_BREAK = "\u00a0"
_EMPTY_CELL = re.compile(r"<td([^<>]*)>–</td>")


class WireMoney(Protocol):
    """Money as a protobuf message carries it."""

    minor: int
    currency: str


def use_zone(name: str) -> None:
    """Sets the zone in which this request's times are shown, e.g. "Europe/Berlin"."""
    g.wv_zone = ZoneInfo(name)


def zone() -> ZoneInfo:
    """The zone of this request; UTC when nobody set one."""
    found = g.get("wv_zone") if has_request_context() else None
    return found if isinstance(found, ZoneInfo) else ZoneInfo("UTC")


def money(value: "Money | WireMoney | None") -> str:
    """ "US$ 1,240.00", with a space that does not break."""
    if value is None:
        return ""
    if not isinstance(value, Money):
        value = Money(minor=value.minor, currency=value.currency)
    return value.format("en_US")


def day(value: date | datetime | None) -> str:
    """ "Sat 21 Nov 2026". A moment is taken to the reader's zone first."""
    if value is None:
        return ""
    local = value.astimezone(zone()).date() if isinstance(value, datetime) else value
    return written_day(local)


def short_day(value: date | datetime | None) -> str:
    """ "21 Nov", for places where the year is plain."""
    if value is None:
        return ""
    local = value.astimezone(zone()).date() if isinstance(value, datetime) else value
    return format_date(local, _SHORT_DATE, locale=LOCALE)


def day_range(start: date, end: date) -> str:
    """ "Sat 21 Nov – Sat 28 Nov 2026"; the year is said once when both share it. An end that lies before its start is
    said to be across the date line."""
    if start == end:
        return day(start)
    if end < start:
        return f"{day(start)} – {day(end)}, across the date line"
    first = format_date(start, "EEE d MMM" if start.year == end.year else _DATE, locale=LOCALE)
    return f"{first} – {day(end)}"


def when(value: datetime | None) -> str:
    """ "Sat 21 Nov 2026, 2:05 PM CET": the exact moment in the reader's zone."""
    return "" if value is None else written_moment(value, zone())


def _when_on_page(value: datetime | None) -> str:
    """As `when`; its time of day is not broken over two lines."""
    return unbroken_times(when(value))


def unbroken_times(text: str) -> str:
    """A text whose times of day, such as "7:55 PM EST", are not broken over two lines."""
    return _TIME.sub(lambda found: found[0].replace(" ", _NO_BREAK), text)


def unbroken_amounts(text: str) -> str:
    """A text that was kept with simple spaces, such as a reason in the vault's trail; no currency in it is parted from
    its amount over two lines."""
    return _AMOUNT.sub(rf"\1{_NO_BREAK}", text)


def mail_address(value: str) -> Markup:
    """An e-mail address that breaks before its "@" where it has no room, rather than within a name."""
    person, at, host = value.rpartition("@")
    return Markup("{}<wbr>{}{}").format(person, at, host) if person else escape(value)


def when_utc(value: datetime | None) -> str:
    """ "Sat 21 Nov 2026, 2:05:09 PM CET (1:05:09 PM UTC)": for evidence and access history (M12)."""
    return "" if value is None else written_evidence(value, zone())


def ago(value: datetime | None) -> Markup:
    """ "5 minutes ago" or "in 3 days", with the exact moment on hover and for machines."""
    if value is None:
        return Markup("")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(  # format() escapes what it inserts
        value.astimezone(UTC).isoformat(timespec="seconds"), when(value), relative(value)
    )


def relative(value: datetime) -> str:
    """ "just now", "5 minutes ago", "in 3 days"."""
    delta = value - _now()
    if abs(delta) < timedelta(seconds=45):
        return "just now" if delta <= timedelta(0) else "in a moment"
    return format_timedelta(delta, threshold=1.2, add_direction=True, locale=LOCALE)


def plural(count: int, singular: str, several: str = "") -> str:
    """ "1 passenger", "2 passengers", by the locale's plural rule."""
    word = singular if LOCALE.plural_form(count) == "one" else (several or f"{singular}s")
    return f"{count:,} {word}"


def country(code: str) -> str:
    """A country's name for its ISO 3166-1 code; the code itself when Babel has no name."""
    return str(LOCALE.territories.get(code, code))


def country_of_zone(zone: str) -> str:
    """The ISO code of the country that a time zone belongs to (CLDR); empty where it belongs to none."""
    code = str(get_global("zone_territories").get(zone, ""))
    return code if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES else ""


@cache
def country_choices() -> tuple[tuple[str, str], ...]:
    """ISO code and name of every country, by name, for a select."""
    named = ((str(code), str(name)) for code, name in LOCALE.territories.items())
    real = ((code, name) for code, name in named if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES)
    return tuple(sorted(real, key=lambda pair: title_key(pair[1])))


def currency_choices(codes: tuple[str, ...] = ("USD", "EUR", "GBP", "CAD", "AUD", "CHF")) -> list[tuple[str, str]]:
    """Currencies by name, for a select."""
    return [(code, f"{LOCALE.currencies.get(code, code)} ({code})") for code in codes]


def initials(name: str) -> str:
    """ "MO" for "Maya Okafor": first letters of the first and last word."""
    words = [word for word in name.split() if word[0].isalnum()]
    if not words:
        return "?"
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return letters.upper()


def monogram(name: str) -> str:
    """ "HV" for "Harbour & Vine Travel": first letters of the first two words, for a house rather than a person."""
    return "".join(word[0] for word in name.split() if word[0].isalnum())[:2].upper() or "?"


def sum_of_letters(name: str) -> int:
    """A small number that is always the same for a name; picks the hue of its initials."""
    return sum(map(ord, name))


def sentence(value: str) -> str:
    """ "Final payment" for "final_payment": an enum's name as words."""
    words = value.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


# Entries of CLDR's territory list that are no places a card can be billed to.
_NOT_COUNTRIES = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"})


def _now() -> datetime:
    clock: Clock = current_app.extensions["wayvault"].clock
    return clock.now()


def mark_empty(rows: Markup) -> Markup:
    """Marks a table's cells that hold nothing but a dash, which a phone leaves out."""
    return Markup(_EMPTY_CELL.sub(r"<td\1 data-empty>–</td>", str(rows)))  # noqa: S704 - the markup that it was


def register_filters(app: Flask) -> None:
    """Makes the filters known to the app's templates."""
    app.jinja_env.filters.update(
        money=money,
        card_brand=brand_words,
        date=day,
        short_date=short_day,
        when=_when_on_page,
        when_utc=when_utc,
        ago=ago,
        plural=plural,
        country=country,
        initials=initials,
        mail_address=mail_address,
        mark_empty=mark_empty,
        monogram=monogram,
        sentence=sentence,
        sum_of_letters=sum_of_letters,
        unbroken_amounts=unbroken_amounts,
        unbroken_times=unbroken_times,
    )
    app.jinja_env.globals.update(day_range=day_range)
