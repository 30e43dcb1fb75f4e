"""Rules of signing in: stages, authenticator codes, where to go next. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

INVITATION_VALID = timedelta(days=7)
# An authenticator's code stands for 30 seconds; the one before and the one after are taken too (clocks drift).
STEP_SECONDS = 30
STEP_TOLERANCE = 1


class Stage(StrEnum):
    """How far a browser session has come. Only SIGNED_IN opens the CRM."""

    PASSWORD_GIVEN = "password_given"  # noqa: S105 - a stage, not a password
    SIGNED_IN = "signed_in"


def step_at(moment: datetime) -> int:
    """The number of the authenticator's time step (RFC 6238, T with X = 30 s)."""
    return int(moment.timestamp()) // STEP_SECONDS


def steps_to_try(now: datetime, last_used: int | None) -> list[int]:
    """The steps whose code is accepted now: near the present and later than the last one used, so none works twice."""
    current = step_at(now)
    nearest = [current, current - STEP_TOLERANCE, current + STEP_TOLERANCE]
    return [step for step in nearest if last_used is None or step > last_used]
