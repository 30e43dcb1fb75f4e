"""Moments as messages carry them: aware UTC here, a protobuf Timestamp there."""

from datetime import UTC, datetime
from typing import overload

from google.protobuf.timestamp_pb2 import Timestamp


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
    """A field's moment as aware UTC. Raises ValueError for one that no calendar has, which a stranger may send."""
    return sent.ToDatetime(tzinfo=UTC)
