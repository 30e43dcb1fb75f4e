"""One-time codes and links as a metric: how many were asked for lately, and what became of them."""

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select

from chassis.clock import Clock
from chassis.db import Database
from chassis.telemetry import Gauge
from services.vault.reveal.models import GrantRow
from services.vault.reveal.rules import GrantKind, GrantState

_LATELY: Final = timedelta(days=1)
_CHALLENGES: Final = Gauge(
    "wayvault_challenges", "One-time codes and links that ended, or will, after yesterday's now", ["kind", "state"]
)


def measure_challenges(database: Database, clock: Clock) -> None:
    """Shows them as metrics, each kind and state, those without any too. Raises what the database raises."""
    counting = (
        select(GrantRow.kind, GrantRow.state, func.count())
        .where(GrantRow.expires_at > clock.now() - _LATELY)
        .group_by(GrantRow.kind, GrantRow.state)
    )
    with database.read() as session:
        found = {(kind, state): count for kind, state, count in session.execute(counting)}
    for kind in GrantKind:
        for state in GrantState:
            _CHALLENGES.labels(kind, state).set(found.get((kind, state), 0))
