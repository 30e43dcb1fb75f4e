"""Connections to the mail server that are kept for the next mail: making one, with TLS and sign-in, costs more than a
mail does."""

import smtplib
import threading
import time
from dataclasses import dataclass, field
from typing import Final

import structlog

# A connection's bounded life. It rests a few seconds only: servers wait minutes (RFC 5321 §4.5.3.2.7), but each is a
# place that somebody else may need.
LINE_SECONDS: Final = 60.0
LINE_MAILS: Final = 100
REST_SECONDS: Final = 5.0
_GOODBYE_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Line:
    """A connection, made and greeted. `mails` is how many were handed over on it; `in_step`: the answer to each command
    has been read, so that the next one read belongs to the next command."""

    server: smtplib.SMTP
    opened_at: float = field(default_factory=time.monotonic)
    rested_at: float = 0.0
    mails: int = 0
    in_step: bool = False

    def answered(self, code: int) -> None:
        """A reply has come: 421 announces the connection's end (RFC 5321 §3.8), and what is none can't be relied on."""
        self.in_step = 200 <= code < 600 and code != 421

    def part(self) -> None:
        """Says goodbye, as a courtesy: what the server makes of it is of no interest to anybody."""
        try:
            if self.server.sock is not None:
                self.server.sock.settimeout(_GOODBYE_SECONDS)
                self.server.quit()
        except (smtplib.SMTPException, OSError) as error:
            log.info("smtp.quit_failed", error=type(error).__name__)
        finally:
            self.server.close()

    def is_spent(self, now: float) -> bool:
        return self.mails >= LINE_MAILS or now - self.opened_at >= LINE_SECONDS


class Lines:
    """The connections that rest. Safe to share between threads: whoever takes one has it alone."""

    def __init__(self) -> None:
        self._resting: list[Line] = []
        self._lock = threading.Lock()

    def take(self) -> Line | None:
        """The one that has rested least; None where there is none. The server may have closed it meanwhile."""
        self.let_go(rested=REST_SECONDS)
        with self._lock:
            return self._resting.pop() if self._resting else None

    def keep(self, line: Line) -> None:
        """Lets it rest, or ends it when it is out of step or has served its time."""
        now = line.rested_at = time.monotonic()
        if not line.in_step or line.is_spent(now):
            line.part()
            return
        with self._lock:
            self._resting.append(line)

    def let_go(self, *, rested: float) -> None:
        """Ends those that have rested for so many seconds."""
        latest = time.monotonic() - rested
        with self._lock:
            gone = [line for line in self._resting if line.rested_at <= latest]
            self._resting = [line for line in self._resting if line.rested_at > latest]
        for line in gone:
            line.part()
