"""The one way in which moments and days are written, on pages, in mails, histories and documents."""

from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_datetime

LOCALE: Final = Locale.parse("en_US")
_DATE: Final = "EEE d MMM yyyy"
_MINUTE: Final = f"{_DATE}, h:mm a"
_SECOND: Final = f"{_DATE}, h:mm:ss a"


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this IANA name; UTC where the name is empty or not known here."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def written_day(value: date) -> str:
    """ "Sat 21 Nov 2026"."""
    return format_date(value, _DATE, locale=LOCALE)


@lru_cache(maxsize=4096)
def written_moment(value: datetime, zone: tzinfo) -> str:
    """ "Sat 21 Nov 2026, 2:05 PM EST": the minute in the reader's zone, with the zone's own short name."""
    return _written(value.astimezone(zone), _MINUTE)


def written_second(value: datetime, zone: tzinfo) -> str:
    """ "Sat 21 Nov 2026, 2:05:09 PM EST": where the order of things within a minute matters."""
    return _written(value.astimezone(zone), _SECOND)


def written_evidence(value: datetime, zone: tzinfo) -> str:
    """ "Sat 21 Nov 2026, 2:05:09 PM EST (7:05:09 PM UTC)": for the access history, whose moments are UTC (M12)."""
    local = value.astimezone(zone)
    if not local.utcoffset():
        return written_second(value, UTC)
    in_utc = value.astimezone(UTC)
    pattern = "h:mm:ss a" if in_utc.date() == local.date() else "EEE d MMM, h:mm:ss a"
    return f"{written_second(value, zone)} ({format_datetime(in_utc, pattern, locale=LOCALE)} UTC)"


def _written(local: datetime, pattern: str) -> str:
    name = local.tzname() or "UTC"
    # Zones without letters of their own are called by their distance.
    short = f"UTC{name}" if name[:1] in "+-" else name
    return f"{format_datetime(local, pattern, tzinfo=local.tzinfo, locale=LOCALE)} {short}"
