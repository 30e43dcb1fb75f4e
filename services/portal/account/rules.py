"""Rules of clients' sign-in. Pure."""

from datetime import datetime, timedelta

from chassis.typed.text import plain

# A reset is for the person who has just asked for it.
RESET_VALID = timedelta(hours=1)
# However often somebody asks, a client gets a new link at most this often.
RESET_PAUSE = timedelta(minutes=5)
# From one address, whoever is meant: enough for a family, or an office, of forgetful people.
RESETS_PER_HOUR = 20


def username_key(username: str) -> str:
    """The form in which two spellings of one username are the same."""
    return plain(username).casefold()[:120]


def link_is_good(expires_at: datetime | None, now: datetime) -> bool:
    """Whether a link on which a password is chosen still works."""
    return expires_at is not None and now < expires_at


def may_mail_reset(last_expires_at: datetime | None, now: datetime) -> bool:
    """Whether a further reset link may be mailed, given when the last one ends."""
    return last_expires_at is None or now >= last_expires_at - RESET_VALID + RESET_PAUSE
