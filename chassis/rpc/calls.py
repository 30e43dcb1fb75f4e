"""What a handler may know of the call it serves."""

import contextvars
import time
from dataclasses import dataclass

from chassis.errors import DeadlineTooShort


@dataclass(frozen=True, slots=True, kw_only=True)
class CallInfo:
    """One call: full method name, the caller's identity ("crm"), and the monotonic moment its deadline ends."""

    method: str
    caller: str
    deadline: float

    def time_left(self) -> float:
        """Seconds until the caller stops waiting."""
        return self.deadline - time.monotonic()


_current: contextvars.ContextVar[CallInfo] = contextvars.ContextVar("wayvault_call")


def current_call() -> CallInfo:
    """The call this thread serves. Raises LookupError outside of one."""
    return _current.get()


def enter_call(info: CallInfo) -> contextvars.Token[CallInfo]:
    """Makes `info` current; give the token to `leave_call`."""
    return _current.set(info)


def leave_call(token: contextvars.Token[CallInfo]) -> None:
    """Undoes `enter_call`."""
    _current.reset(token)


def require_time(seconds: float) -> None:
    """Raises DeadlineTooShort when the caller will not wait `seconds` more: work that can't finish isn't begun."""
    if current_call().time_left() < seconds:
        raise DeadlineTooShort
