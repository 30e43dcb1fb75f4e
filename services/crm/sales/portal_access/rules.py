"""What a username is, and the states of a client's way into the portal. Pure."""

import re
from datetime import datetime, timedelta
from enum import StrEnum

from chassis.typed.names import fold
from chassis.typed.text import plain

INVITATION_VALID = timedelta(days=14)
USERNAME_MIN = 3
USERNAME_MAX = 60
_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+\-]*")


class AccessState(StrEnum):
    """invited → active → withdrawn → invited …; an invitation may be withdrawn too."""

    INVITED = "invited"
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


class Admission(StrEnum):
    """What a registration in the portal comes to (the words of events.proto, RegistrationAnswered.outcome)."""

    ADMITTED = "admitted"
    KNOWN = "known"
    CLOSED = "closed"


class AccessFact(StrEnum):
    """What happens to it."""

    INVITED = "invited"
    ACTIVATED = "activated"
    WITHDRAWN = "withdrawn"


# A further invitation to an active client mails a new link; their password stays good until they use it. A withdrawal
# stands: an activation that was on its way meanwhile opens nothing, for the portal has closed the account.
_NEXT: dict[tuple[AccessState, AccessFact], AccessState] = {
    (AccessState.INVITED, AccessFact.INVITED): AccessState.INVITED,
    (AccessState.INVITED, AccessFact.ACTIVATED): AccessState.ACTIVE,
    (AccessState.INVITED, AccessFact.WITHDRAWN): AccessState.WITHDRAWN,
    (AccessState.ACTIVE, AccessFact.INVITED): AccessState.ACTIVE,
    (AccessState.ACTIVE, AccessFact.ACTIVATED): AccessState.ACTIVE,
    (AccessState.ACTIVE, AccessFact.WITHDRAWN): AccessState.WITHDRAWN,
    (AccessState.WITHDRAWN, AccessFact.INVITED): AccessState.INVITED,
}


def after(state: AccessState, fact: AccessFact) -> AccessState | None:
    """The state after a fact, or None where the fact changes nothing."""
    return _NEXT.get((state, fact))


def activation_counts(activated_at: datetime, invited_at: datetime) -> bool:
    """Whether an activation belongs to the present invitation: one told late, from before a withdrawal and a new
    invitation, does not."""
    return activated_at >= invited_at


def username_error(username: str) -> str | None:
    """What is wrong with a username, or None."""
    if not USERNAME_MIN <= len(username) <= USERNAME_MAX:
        return f"A username has {USERNAME_MIN} to {USERNAME_MAX} characters."
    if not _USERNAME.fullmatch(username):
        return "Use letters without accents, digits and . _ - @ + only, and begin with a letter or digit."
    return None


def username_key(username: str) -> str:
    """The form in which two spellings of one username are the same."""
    return plain(username).casefold()


def suggested_username(first_name: str, last_name: str) -> str:
    """ "eleanor.whitcombe" for Eleanor Whitcombe; empty when nothing is left of the name."""
    parts = [re.sub(r"[^a-z0-9]", "", fold(name)) for name in (first_name, last_name)]
    name = ".".join(part for part in parts if part)[:USERNAME_MAX]
    return name if username_error(name) is None else ""


def usernames_of(first_name: str, last_name: str) -> list[str]:
    """Usernames made of a name, the best first: "ann.lee", "ann.lee2", …; none when nothing is left of the name."""
    base = suggested_username(first_name, last_name)
    return [base, *(f"{base[:57]}{number}" for number in range(2, 20))] if base else []


def own_usernames(email: str, first_name: str, last_name: str) -> list[str]:
    """For who registers: the address that they have just proved, which they won't forget; else one of their name."""
    address = [] if username_error(email) else [email]
    return address + usernames_of(first_name, last_name)
