"""Rules of signing in: passwords, authenticator codes, lockout, where to go next. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# PCI DSS 8.3.6 and 8.3.4.
PASSWORD_MIN = 12
PASSWORD_MAX = 128
FAILURES_ALLOWED = 10
LOCKED_FOR = timedelta(minutes=30)
INVITATION_VALID = timedelta(days=7)
# An authenticator's code stands for 30 seconds; the one before and the one after are taken too (clocks drift).
STEP_SECONDS = 30
STEP_TOLERANCE = 1


class Stage(StrEnum):
    """How far a browser session has come. Only SIGNED_IN opens the CRM."""

    PASSWORD_GIVEN = "password_given"  # noqa: S105 - a stage, not a password
    SIGNED_IN = "signed_in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Failed sign-ins of one address. `locked_until` may lie in the past."""

    failures: int = 0
    locked_until: datetime | None = None

    def locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until

    def with_one_more(self, now: datetime) -> "Attempts":
        """Counted before the attempt is judged, so that parallel guesses can't outrun the count."""
        failures = 1 if self.locked_until is not None else self.failures + 1
        return Attempts(failures=failures, locked_until=now + LOCKED_FOR if failures >= FAILURES_ALLOWED else None)

    def with_one_less(self) -> "Attempts":
        """For an attempt that was right after all."""
        return Attempts(failures=max(0, self.failures - 1), locked_until=None)


def step_at(moment: datetime) -> int:
    """The number of the authenticator's time step (RFC 6238, T with X = 30 s)."""
    return int(moment.timestamp()) // STEP_SECONDS


def steps_to_try(now: datetime, last_used: int | None) -> list[int]:
    """The steps whose code is accepted now: near the present and later than the last one used, so none works twice."""
    current = step_at(now)
    nearest = [current, current - STEP_TOLERANCE, current + STEP_TOLERANCE]
    return [step for step in nearest if last_used is None or step > last_used]


def password_length_error(password: str) -> str | None:
    """What is wrong with a password's length, or None."""
    if len(password) < PASSWORD_MIN:
        return f"Use at least {PASSWORD_MIN} characters. A few unrelated words are easy to remember."
    if len(password) > PASSWORD_MAX:
        return f"Use at most {PASSWORD_MAX} characters."
    return None


def local_path(target: str | None, *, default: str) -> str:
    """`target` when it is a path on this site, else `default` (open redirects, ASVS 5.0 3.7).

    Browsers read backslashes as slashes and skip control characters, so either makes a path suspect.
    """
    if not target or len(target) > 500 or not target.startswith("/") or target.startswith("//"):
        return default
    if "\\" in target or any(ord(char) <= 32 or ord(char) == 127 for char in target):
        return default
    return target
