"""Use cases that every kind of request to a client has: remind, withdraw, expire."""

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

from google.protobuf.message import Message
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument
from services.crm.core.actor import Actor
from services.crm.core.asked import AskedColumns, Kind
from services.crm.core.course import Fact

R = TypeVar("R", bound=AskedColumns)
S = TypeVar("S", bound=StrEnum)
V = TypeVar("V")


class Asking(ABC, Generic[R, S, V]):
    """The requests of one kind. `R`: their rows, `S`: their states, `V`: one as pages see it."""

    kind: Kind[R, S]

    def __init__(self, *, database: Database, outbox: Outbox, clock: Clock, lifetime: timedelta) -> None:
        """`lifetime`: how long a request can be answered; a reminder begins the time anew."""
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._lifetime = lifetime

    def remind(self, actor: Actor, request_id: str, *, issue: int) -> V:
        """Mails the request again, to the address that the client has today, with a fresh token and fresh time; the
        client's older e-mails stay good.

        `issue` is the number that the page showed: a second click finds it outdated and sends nothing.
        Raises NotFound, PermissionDenied or InvalidArgument.
        """
        now = self._clock.now()
        with self._database.transaction() as session:
            row = self.kind.own(session, actor, request_id)
            if row.issue != issue:
                return self._view(row)
            state = self.kind.after(row, Fact.REMINDED)
            if state is None or not self._happen(session, row, Fact.REMINDED, now):
                raise InvalidArgument(self._why_not_remind(row))
            row.state = state
            row.issue += 1
            row.issued_at, row.expires_at, row.delivery_problem = now, now + self._lifetime, ""
            row.email = self._address_today(session, row) or row.email
            return self._mail(session, row)

    def withdraw(self, actor: Actor, request_id: str) -> V:
        """Makes the request's links useless. Doing so again changes nothing.

        Raises NotFound, PermissionDenied, or InvalidArgument when the client was faster.
        """
        now = self._clock.now()
        with self._database.transaction() as session:
            row = self.kind.own(session, actor, request_id)
            if row.state == self.kind.course.withdrawn:
                return self._view(row)
            if self.kind.after(row, Fact.WITHDRAWN) is None or not self._happen(session, row, Fact.WITHDRAWN, now):
                raise InvalidArgument(self._why_not_withdraw(row))
            self._close(session, row)
            return self._view(row)

    def expire_due(self, limit: int = 200) -> int:
        """Marks requests past their end as expired. Returns how many."""
        now = self._clock.now()
        row = self.kind.row
        query = select(row.id).where(row.state.in_(self.kind.course.waiting), row.expires_at <= now)
        with self._database.read() as session:
            due = session.scalars(query.limit(limit)).all()
        return sum(self._expire(request_id, now) for request_id in due)

    def _expire(self, request_id: str, now: datetime) -> bool:
        with self._database.transaction() as session:
            row = session.get(self.kind.row, request_id, with_for_update=True)
            # A reminder or an answer may have come since.
            if row is None or not self.kind.is_over(row, now):
                return False
            self._happen(session, row, Fact.EXPIRED, now)
            return self.kind.advance(row, Fact.EXPIRED)

    def _close(self, session: Session, row: R) -> None:
        """Withdraws a request that waits or has expired, and tells the portal; any other stays as it is."""
        if self.kind.advance(row, Fact.WITHDRAWN):
            row.withdrawn_at = self._clock.now()
            self._outbox.add(session, self._withdrawn(row), aggregate_id=row.id, agency_id=row.agency_id)

    def _happen(self, session: Session, row: R, fact: Fact, at: datetime) -> bool:
        """Carries a fact on to what hangs on the request; False where it can't happen."""
        return True

    @abstractmethod
    def _view(self, row: R) -> V:
        """The request as a value."""

    @abstractmethod
    def _address_today(self, session: Session, row: R) -> str:
        """Where the client is mailed to now; empty for who has no address or is not on the booking any more."""

    @abstractmethod
    def _mail(self, session: Session, row: R) -> V:
        """Publishes the request with a fresh letter."""

    @abstractmethod
    def _withdrawn(self, row: R) -> Message:
        """The event that closes the request in the portal."""

    @abstractmethod
    def _why_not_remind(self, row: R) -> str:
        """What the agent reads when nobody is waited for any more."""

    @abstractmethod
    def _why_not_withdraw(self, row: R) -> str:
        """What the agent reads when the client has answered already."""
