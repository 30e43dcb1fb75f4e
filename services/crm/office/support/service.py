"""Use cases of support tickets: open, write, close, list."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import AsText, Database
from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_id
from protos.wayvault.events.v1.events_pb2 import SupportTicketAnswered, SupportTicketOpened
from services.crm.access.agency.service import Directory, agency_snapshot, agent_snapshot
from services.crm.core.actor import Actor
from services.crm.core.errors import ChangedMeanwhile
from services.crm.core.news import tell
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.core.visibility import visible_to
from services.crm.office.support.models import TicketMessageRow, TicketRow
from services.crm.office.support.rules import (
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    Ticket,
    TicketDetail,
    TicketFact,
    TicketMessage,
    TicketState,
    after,
    fact_of_words,
)

__all__ = [
    "LAST_WORD",
    "LONGEST_SUBJECT",
    "LONGEST_TEXT",
    "TICKET_KEYS",
    "Support",
    "Ticket",
    "TicketDetail",
    "TicketFilter",
    "TicketSort",
    "TicketState",
]

EXPORT_LIMIT = 10_000


class TicketSort(StrEnum):
    """What the tickets can be ordered by."""

    CHANGED = "changed"
    QUESTION = "question"
    STATE = "state"


LAST_WORD = Order(TicketSort.CHANGED)
TICKET_KEYS: Keys[TicketSort] = {
    TicketSort.CHANGED: Key(TicketRow.changed_at, falling=True),
    TicketSort.QUESTION: Key(AsText(TicketRow.subject)),
    TicketSort.STATE: Key(TicketRow.state, TicketRow.changed_at),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """What the list shows; None = every state."""

    state: TicketState | None = None
    order: Order[TicketSort] = LAST_WORD


class Support:
    """The support room's use cases. An agent sees their own tickets, an admin their agency's."""

    def __init__(self, *, database: Database, outbox: Outbox, clock: Clock, directory: Directory) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._directory = directory

    def list_page(self, actor: Actor, wanted: TicketFilter, number: int) -> Page[Ticket]:
        """A page of the tickets."""
        query = select(TicketRow).where(*_conditions(actor, wanted))
        with self._database.read() as session:
            total = bounded_count(session, query)
            ordered = in_order(query, wanted.order, TICKET_KEYS, TicketRow.id)
            rows = session.scalars(ordered.limit(PAGE_SIZE).offset(offset(number))).all()
            return Page(items=self._tickets(session, actor.agency_id, rows), total=total, number=number)

    def export(self, actor: Actor, wanted: TicketFilter) -> list[Ticket]:
        """Everything that the list shows (at most EXPORT_LIMIT)."""
        query = in_order(select(TicketRow).where(*_conditions(actor, wanted)), wanted.order, TICKET_KEYS, TicketRow.id)
        with self._database.read() as session:
            return self._tickets(session, actor.agency_id, session.scalars(query.limit(EXPORT_LIMIT)).all())

    def open(self, actor: Actor, subject: str, text: str) -> Ticket:
        """Asks the agency's admins; they are told by mail. Raises InvalidArgument."""
        subject = " ".join(subject.split())
        if not subject or len(subject) > LONGEST_SUBJECT:
            raise InvalidArgument("Say in a few words what it is about.", field="subject")
        now = self._clock.now()
        with self._database.transaction() as session:
            row = TicketRow(
                id=new_id("ticket"),
                agency_id=actor.agency_id,
                agent_id=actor.agent_id,
                subject=subject,
                state=TicketState.OPEN,
                opened_at=now,
                changed_at=now,
            )
            session.add(row)
            session.flush()
            self._write(session, row, actor, text)
            return self._tickets(session, actor.agency_id, [row])[0]

    def get(self, actor: Actor, ticket_id: str) -> TicketDetail:
        """Raises NotFound for what the actor may not see."""
        with self._database.read() as session:
            return self._detail(session, actor.agency_id, _visible(session, actor, ticket_id))

    def write(self, actor: Actor, ticket_id: str, text: str, *, version: int) -> TicketDetail:
        """The author asks on, an admin answers; the other side is told by mail. Writing on a closed ticket opens it
        again. Raises NotFound, InvalidArgument or ChangedMeanwhile."""
        with self._database.transaction() as session:
            row = _held(session, actor, ticket_id)
            if row.version != version:
                raise ChangedMeanwhile
            fact = fact_of_words(by_author=actor.owns(row.agent_id))
            row.state = after(TicketState(row.state), fact) or row.state
            row.changed_at = self._clock.now()
            session.flush()
            self._write(session, row, actor, text)
            return self._detail(session, actor.agency_id, row)

    def close(self, actor: Actor, ticket_id: str) -> Ticket:
        """Puts it away; closing a closed one changes nothing. Raises NotFound."""
        with self._database.transaction() as session:
            row = _held(session, actor, ticket_id)
            state = after(TicketState(row.state), TicketFact.CLOSED)
            if state is not None:
                row.state, row.changed_at = state, self._clock.now()
                session.flush()
            return self._tickets(session, actor.agency_id, [row])[0]

    def _write(self, session: Session, row: TicketRow, actor: Actor, text: str) -> None:
        text = text.strip()
        if not text or len(text) > LONGEST_TEXT:
            raise InvalidArgument(f"Write something, up to {LONGEST_TEXT:,} characters.", field="text")
        session.add(
            TicketMessageRow(
                id=new_id("message"), ticket_id=row.id, author_id=actor.agent_id, text=text, at=self._clock.now()
            )
        )
        session.flush()
        self._tell(session, row, actor, text)

    def _tell(self, session: Session, row: TicketRow, actor: Actor, text: str) -> None:
        agency = self._directory.load_agency(session, row.agency_id)
        author = self._directory.load_agent(session, actor.agent_id)
        event: SupportTicketOpened | SupportTicketAnswered
        if actor.owns(row.agent_id):
            others = [one for one in self._directory.admins(session, row.agency_id) if one.id != actor.agent_id]
            tell(session, (one.id for one in others))
            event = SupportTicketOpened(
                ticket_id=row.id,
                subject=row.subject,
                text=text,
                author=agent_snapshot(author),
                admins=[agent_snapshot(one) for one in others],
                agency=agency_snapshot(agency),
            )
        else:
            event = SupportTicketAnswered(
                ticket_id=row.id,
                subject=row.subject,
                text=text,
                author=agent_snapshot(author),
                recipient=agent_snapshot(self._directory.load_agent(session, row.agent_id)),
                agency=agency_snapshot(agency),
            )
        self._outbox.add(session, event, aggregate_id=row.id, agency_id=row.agency_id)

    def _detail(self, session: Session, agency_id: str, row: TicketRow) -> TicketDetail:
        names = self._directory.names(session, agency_id)
        written = session.scalars(
            select(TicketMessageRow)
            .where(TicketMessageRow.ticket_id == row.id)
            .order_by(TicketMessageRow.at, TicketMessageRow.id)
        )
        messages = tuple(
            TicketMessage(
                author_name=names.get(one.author_id, ""),
                own=one.author_id == row.agent_id,
                text=one.text,
                at=one.at,
            )
            for one in written
        )
        return TicketDetail(ticket=_ticket(row, names), messages=messages)

    def _tickets(self, session: Session, agency_id: str, rows: Sequence[TicketRow]) -> list[Ticket]:
        names = self._directory.names(session, agency_id) if rows else {}
        return [_ticket(row, names) for row in rows]


def count_waiting(actor: Actor) -> Select[int]:
    """How many tickets wait for the actor (the rail): answers to their own, and for admins what others ask."""
    answered = select(func.count()).where(TicketRow.agent_id == actor.agent_id, TicketRow.state == TicketState.ANSWERED)
    if not actor.is_admin:
        return answered
    asked = select(func.count()).where(
        TicketRow.agency_id == actor.agency_id,
        TicketRow.state == TicketState.OPEN,
        TicketRow.agent_id != actor.agent_id,
    )
    return select(answered.scalar_subquery() + asked.scalar_subquery())


def _conditions(actor: Actor, wanted: TicketFilter) -> list[ColumnElement[bool]]:
    conditions = [visible_to(actor, TicketRow.agency_id, TicketRow.agent_id)]
    if wanted.state is not None:
        conditions.append(TicketRow.state == wanted.state)
    return conditions


def _visible(session: Session, actor: Actor, ticket_id: str) -> TicketRow:
    row = session.scalar(
        select(TicketRow).where(TicketRow.id == ticket_id, visible_to(actor, TicketRow.agency_id, TicketRow.agent_id))
    )
    if row is None:
        raise NotFound("There is no such ticket among yours.")
    return row


def _held(session: Session, actor: Actor, ticket_id: str) -> TicketRow:
    """The row, held until the transaction ends."""
    row = _visible(session, actor, ticket_id)
    session.refresh(row, with_for_update=True)
    return row


def _ticket(row: TicketRow, names: dict[str, str]) -> Ticket:
    return Ticket(
        id=row.id,
        agent_id=row.agent_id,
        agent_name=names.get(row.agent_id, ""),
        subject=row.subject,
        state=TicketState(row.state),
        opened_at=row.opened_at,
        changed_at=row.changed_at,
        version=row.version,
    )
