"""How long an itinerary's link works, and what becomes of it. Pure."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

# A traveler reads it at home, on the way, and a few days after.
_AFTER_THE_TRIP: Final = timedelta(days=7)
_AT_LEAST: Final = timedelta(days=30)
# What a link that nobody thinks of any more may live.
_AT_MOST: Final = timedelta(days=400)


class Lifetime(StrEnum):
    """How long a link is to work."""

    WEEK = "week"
    MONTH = "month"
    TRIP = "trip"


_FIXED: Final = {Lifetime.WEEK: timedelta(days=7), Lifetime.MONTH: _AT_LEAST}
LIFETIME_WORDS: Final = {
    Lifetime.TRIP: "Until a week after the trip",
    Lifetime.MONTH: "30 days",
    Lifetime.WEEK: "7 days",
}


def expiry(lifetime: Lifetime, *, now: datetime, ends_on: date | None) -> datetime:
    """When a link made now stops working. A trip without days counts as a month."""
    match lifetime:
        case Lifetime.WEEK | Lifetime.MONTH:
            return now + _FIXED[lifetime]
        case Lifetime.TRIP:
            after = datetime.combine(ends_on, time.max, tzinfo=UTC) + _AFTER_THE_TRIP if ends_on else now
            return min(max(after, now + _AT_LEAST), now + _AT_MOST)


def lifetime_of(lasts: timedelta) -> Lifetime:
    """What was chosen for a link that works for so long; of a longer one that it lasts for the trip."""
    return next((each for each, days in _FIXED.items() if lasts <= days), Lifetime.TRIP)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRequest:
    """What an agent wishes: a link mailed to each of these passengers, or, without any, one to pass on. `request_key`
    is made with the form, so that the form sent twice makes no more links."""

    request_key: str
    client_ids: tuple[str, ...]
    lifetime: Lifetime
    with_prices: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A link as pages see one. `to` is who got it by mail."""

    id: str
    booking_id: str
    to: str
    email: str
    with_prices: bool
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    # The whole link, only in the answer to the act that made it; no later reader can know it.
    fresh_url: str = field(default="", repr=False, compare=False)

    def state(self, now: datetime) -> str:
        """ "revoked", "expired" or "active"."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= now else "active"
