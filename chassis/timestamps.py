"""Moments as messages carry them: aware UTC here, a protobuf Timestamp there."""

from datetime import UTC, datetime, timedelta
from typing import Final, overload

from google.protobuf.timestamp_pb2 import Timestamp

_LAST_SECOND: Final = int(datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())


@overload
def stamp(moment: datetime) -> Timestamp: ...
@overload
def stamp(moment: None) -> None: ...
@overload
def stamp(moment: datetime | None) -> Timestamp | None: ...
def stamp(moment: datetime | None) -> Timestamp | None:
    """An aware moment for a message's field; None leaves the field unset."""
    if moment is None:
        return None
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def moment_of(sent: Timestamp) -> datetime:
    """A field's moment as aware UTC. One before 1970 or after 2199, which nothing here has and which no time zone could
    be added to, is the nearest that there may be."""
    seconds = min(max(sent.seconds, 0), _LAST_SECOND)
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=min(max(sent.nanos, 0), 999_999_999) // 1000)
