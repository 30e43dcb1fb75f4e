"""Requests that can be parts of a visit (C18): asked for together with others, by one letter for all of them."""

from abc import abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from google.protobuf.message import Message
from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.crm.core.asked import Asked, AskedColumns
from services.crm.core.asking import Asking
from services.crm.core.course import Course, Fact


class PartColumns(AskedColumns):
    """For the rows of requests that can be parts of a visit."""

    # The visit in which it was asked for; empty for what was asked for alone.
    visit_id: Mapped[str] = mapped_column(String(64), default="", server_default="", index=True)


S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPart(Asked[S]):
    """What pages see of a request that can be part of a visit."""

    course: ClassVar[Course[Any]]  # Any: a class's own attribute can't depend on its state's type

    visit_id: str

    @property
    def can_remind(self) -> bool:
        return self.course.allows(self.state, Fact.REMINDED)

    @property
    def can_withdraw(self) -> bool:
        return self.course.allows(self.state, Fact.WITHDRAWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOf:
    """Of which visit a new request is a part, and until when. `key`: under which key the visit's form asks for it."""

    visit_id: str
    expires_at: datetime
    key: str


P = TypeVar("P", bound=PartColumns)
V = TypeVar("V")


class PartAsking(Asking[P, S, V]):
    """The requests of one kind, also as parts of visits. Methods with a `session` belong to a caller's transaction."""

    def parts_of(self, session: Session, visit_ids: Collection[str]) -> list[tuple[str, V]]:
        """The parts of these visits, each with its visit's id, in the order in which they were asked for."""
        row = self.kind.row
        query = select(row).where(row.visit_id.in_(visit_ids)).order_by(row.created_at, row.id)
        return [(each.visit_id, self._view(each)) for each in session.scalars(query)]

    def renew_parts(self, session: Session, visit_id: str, *, email: str, expires_at: datetime) -> list[Message]:
        """Gives the parts that were not answered fresh time; what is told of each, without a letter."""
        now = self._clock.now()
        told = []
        for row in self._held_parts(session, visit_id):
            state = self.kind.after(row, Fact.REMINDED)
            if state is None or not self._happen(session, row, Fact.REMINDED, now):
                continue
            row.state = state
            row.issue += 1
            row.email, row.issued_at, row.expires_at, row.delivery_problem = email, now, expires_at, ""
            told.append(self._asked(session, row, ""))
        return told

    def close_parts(self, session: Session, visit_id: str) -> int:
        """Withdraws the parts that were not answered; how many."""
        now, closed = self._clock.now(), 0
        for row in self._held_parts(session, visit_id):
            if self.kind.after(row, Fact.WITHDRAWN) and self._happen(session, row, Fact.WITHDRAWN, now):
                self._close(session, row)
                closed += 1
        return closed

    def note_parts_sent(self, session: Session, visit_id: str, at: datetime) -> None:
        """The visit's letter left, which was theirs too."""
        for row in self._held_parts(session, visit_id):
            row.sent_at = at
            self.kind.advance(row, Fact.DELIVERED)

    def _held_parts(self, session: Session, visit_id: str) -> list[P]:
        row = self.kind.row
        query = select(row).where(row.visit_id == visit_id).order_by(row.created_at, row.id).with_for_update()
        return list(session.scalars(query))

    @abstractmethod
    def _asked(self, session: Session, row: P, letter: str) -> Message:
        """The event that asks for it; `letter` is empty for a part of a visit, which has none of its own."""
