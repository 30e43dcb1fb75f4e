"""What a client is asked for by e-mail and answers in the portal: one kind of it, its rows, and who may act on them."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.db import Database, UtcDateTime
from chassis.errors import NotFound, PermissionDenied
from chassis.sealing import LetterSealer, link_letter
from services.crm.core.actor import Actor
from services.crm.core.course import Course, Fact
from services.crm.core.mails import MailOutcome
from services.crm.core.visibility import visible_to


class AskedColumns:
    """For the rows of one kind of request. Tokens are never kept, only the newest one's SHA-256."""

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id"))
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    email: Mapped[str] = mapped_column(String(254))
    state: Mapped[str] = mapped_column(String(12))
    token_sha256: Mapped[str] = mapped_column(String(64))
    # Of the form that asked, so that the form sent twice asks once.
    request_key: Mapped[str] = mapped_column(String(64))
    # 1 for the first e-mail, one more for each time it was sent again.
    issue: Mapped[int]
    # Why the last e-mail could not be delivered, in plain words; empty when nothing is wrong.
    delivery_problem: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


R = TypeVar("R", bound=AskedColumns)
S = TypeVar("S", bound=StrEnum)
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[S]):
    """What pages see of every kind of request (`Kind.seen`)."""

    id: str
    agent_id: str
    booking_id: str
    client_id: str
    email: str
    state: S
    issue: int
    delivery_problem: str
    created_at: datetime
    issued_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[R, S]):
    """One kind of request. `unknown` and `not_yours` are what those who may not see it or may not touch it read."""

    row: type[R]
    state: type[S]
    course: Course[S]
    unknown: str
    not_yours: str

    def visible(self, session: Session, actor: Actor, request_id: str) -> R:
        """Raises NotFound for what does not exist or the actor may not see: no difference is told."""
        row = session.scalar(
            select(self.row).where(self.row.id == request_id, visible_to(actor, self.row.agency_id, self.row.agent_id))
        )
        if row is None:
            raise NotFound(self.unknown)
        return row

    def own(self, session: Session, actor: Actor, request_id: str) -> R:
        """The row, held until the transaction ends. Raises NotFound, or PermissionDenied when it is another agent's."""
        row = self.visible(session, actor, request_id)
        if not actor.owns(row.agent_id):
            raise PermissionDenied(self.not_yours)
        session.refresh(row, with_for_update=True)
        return row

    def made_by(self, session: Session, actor: Actor, keys: Collection[str]) -> list[R]:
        """What the agent's form with these keys has asked for already."""
        row = self.row
        query = select(row).where(row.request_key.in_(keys), row.agent_id == actor.agent_id)
        return list(session.scalars(query.order_by(row.id)))

    def of_event(self, session: Session, request_id: str, agency_id: str) -> R | None:
        """The row that an event tells of, held until the transaction ends; None when the agency has no such request."""
        row = session.get(self.row, request_id, with_for_update=True)
        return row if row is not None and row.agency_id == agency_id else None

    def after(self, row: R, fact: Fact) -> S | None:
        """The state that follows the row's, or None where the fact can't happen now."""
        return self.course.after(self.state(row.state), fact)

    def advance(self, row: R, fact: Fact) -> bool:
        """Lets the fact happen to the row; whether it could."""
        return _settle(row, self.after(row, fact))

    def answer(self, row: R, answer: S) -> bool:
        """Notes the client's answer; whether it was the first."""
        return _settle(row, self.course.answered(self.state(row.state), answer))

    def is_over(self, row: R, now: datetime) -> bool:
        """Whether the request waits, and its time is up."""
        return self.course.is_over(self.state(row.state), expires_at=row.expires_at, now=now)

    def note_mail(self, session: Session, mail: MailOutcome) -> bool:
        """Keeps with a request what the notifier says about its e-mail: it left, or it never will and the agent reads
        why. Returns whether there is such a request."""
        row = self.of_event(session, mail.link_id, mail.agency_id)
        if row is None:
            return False
        row.delivery_problem = mail.problem
        if mail.sent_at is not None:
            row.sent_at = mail.sent_at
            self.advance(row, Fact.DELIVERED)
        return True

    def seen(self, row: R) -> dict[str, Any]:
        """The fields of `Asked`, read from a row."""
        return {field.name: getattr(row, field.name) for field in fields(Asked)} | {"state": self.state(row.state)}

    def begun(self, now: datetime, lifetime: timedelta) -> dict[str, Any]:
        """The columns of a new request that say how far it is."""
        return {
            "state": self.course.issued,
            "token_sha256": "",
            "issue": 1,
            "delivery_problem": "",
            "created_at": now,
            "issued_at": now,
            "expires_at": now + lifetime,
        }


def fresh_letter(
    letters: LetterSealer, row: AskedColumns, *, template: str, address: str, more: dict[str, str] | None = None
) -> tuple[str, str]:
    """Makes the request's newest token and seals it into a letter. Returns the link, which nobody can read later, and
    the sealed letter. `address` is the request's page in the portal; `more` is what the letter says besides."""
    made = link_letter(
        letters,
        template=template,
        to=row.email,
        page=address,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        more=more,
    )
    row.token_sha256 = made.token_sha256
    return made.url, made.sealed


def form_key(request_key: str, client_id: str) -> str:
    """The key under which a form asks one client."""
    return hashlib.sha256(f"{request_key}\n{client_id}".encode()).hexdigest()


def once(database: Database, made: Callable[[Session], list[V]], make: Callable[[Session], list[V]]) -> list[V]:
    """What a form asks for, in one transaction; the same form again, even at the same moment, gets what the first one
    made. `made` looks that up by the form's key, which only one row can have."""
    try:
        with database.transaction() as session:
            return made(session) or make(session)
    except IntegrityError:
        with database.read() as session:
            if found := made(session):
                return found
        raise


def _settle(row: AskedColumns, state: StrEnum | None) -> bool:
    if state is None:
        return False
    row.state = state
    return True
