"""Use cases of failed e-mails: note one, list them, put one away."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import AsText, Database, insert_if_absent
from chassis.errors import NotFound
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import DeliveryFailed, DeliverySent
from services.crm.access.agency.service import Directory
from services.crm.core.actor import Actor
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.core.visibility import visible_to
from services.crm.office.mail_outcomes.models import FailureRow, PaymentMailRow
from services.crm.office.mail_outcomes.rules import Failure, MailFate, kind_of
from services.crm.paying.payments.service import Payment, agent_of, payer_of
from services.crm.sales.clients.service import Clients, client_with_address, name_key

__all__ = [
    "FAILURE_KEYS",
    "NEWEST",
    "Failure",
    "FailureSort",
    "MailFate",
    "MailOutcomes",
    "note_failed",
    "note_fate",
    "note_sent",
]

EXPORT_LIMIT = 10_000


def note_failed(session: Session, message: DeliveryFailed, agency_id: str) -> None:
    """Keeps what the notifier gave up. Hearing it again changes nothing."""
    if session.get(FailureRow, message.delivery_id) is not None:
        return
    session.add(
        FailureRow(
            id=message.delivery_id,
            agency_id=agency_id,
            agent_id=message.agent_id or agent_of(session, agency_id, message.payment_id),
            kind=message.kind[:40],
            payment_id=message.payment_id,
            link_id=message.link_id,
            address_hint=message.address_hint[:320],
            address=message.address[:320],
            client_id=_client_of(session, agency_id, message),
            reason=_problem(message),
            failed_at=moment_of(message.at),
            settled_at=None,
        )
    )


def note_fate(session: Session, message: DeliverySent | DeliveryFailed, agency_id: str) -> None:
    """Keeps what became of an e-mail about a payment. Hearing it again changes nothing."""
    if not message.payment_id:
        return
    table = PaymentMailRow.__table__
    values = {
        "id": message.delivery_id,
        "agency_id": agency_id,
        "payment_id": message.payment_id,
        "kind": message.kind[:40],
        "address": message.address[:320],
        "problem": _problem(message) if isinstance(message, DeliveryFailed) else "",
        "at": moment_of(message.at),
    }
    insert_if_absent(session, table, values)  # type: ignore[arg-type]  # a mapped class's table is a Table


def _problem(message: DeliveryFailed) -> str:
    return (message.reason or "The e-mail could not be delivered.")[:300]


def count_waiting(actor: Actor) -> Select[int]:
    """How many of the actor's own e-mails failed and wait (the dashboard)."""
    return select(func.count()).where(FailureRow.agent_id == actor.agent_id, FailureRow.settled_at.is_(None))


def _client_of(session: Session, agency_id: str, message: DeliveryFailed) -> str:
    """Whom it was to reach: the payment's payer, where the mail is not the agent's own, or whoever has the address."""
    if kind_of(message.kind).to_agent:
        return ""
    payer = payer_of(session, agency_id, message.payment_id)
    if payer and message.address.casefold() == payer.email.casefold():
        return payer.client_id
    agent_id = message.agent_id or agent_of(session, agency_id, message.payment_id)
    return client_with_address(session, agent_id=agent_id, email=message.address) or ""


def note_sent(session: Session, message: DeliverySent) -> None:
    """A link's e-mail that left after all settles the failures before it."""
    if not message.link_id:
        return
    at = moment_of(message.at)
    session.execute(
        update(FailureRow)
        .where(
            FailureRow.link_id == message.link_id,
            FailureRow.kind == message.kind,
            FailureRow.failed_at <= at,
            FailureRow.settled_at.is_(None),
        )
        .values(settled_at=at)
    )


class FailureSort(StrEnum):
    """What the list of failed e-mails can be ordered by."""

    WHEN = "when"
    KIND = "kind"
    TO = "to"
    WHY = "why"


NEWEST = Order(FailureSort.WHEN)
FAILURE_KEYS: Keys[FailureSort] = {
    FailureSort.WHEN: Key(FailureRow.failed_at, falling=True),
    FailureSort.KIND: Key(FailureRow.kind, FailureRow.failed_at),
    FailureSort.TO: Key(name_key(FailureRow.client_id), AsText(FailureRow.address), gaps=True),
    FailureSort.WHY: Key(AsText(FailureRow.reason), FailureRow.failed_at),
}


class MailOutcomes:
    """The room's use cases. An agent sees what failed of their own, an admin their agency's."""

    def __init__(self, *, database: Database, clock: Clock, directory: Directory, clients: Clients) -> None:
        self._clients = clients
        self._database = database
        self._clock = clock
        self._directory = directory

    def list_page(
        self, actor: Actor, *, settled: bool, number: int, order: Order[FailureSort] = NEWEST
    ) -> Page[Failure]:
        """A page of what waits, or of what was put away."""
        query = _listed(actor, settled)
        with self._database.read() as session:
            total = bounded_count(session, query)
            ordered = in_order(query, order, FAILURE_KEYS, FailureRow.id)
            rows = session.scalars(ordered.limit(PAGE_SIZE).offset(offset(number))).all()
            return Page(items=self._failures(session, actor, rows), total=total, number=number)

    def export(self, actor: Actor, *, settled: bool, order: Order[FailureSort]) -> list[Failure]:
        """Everything that the list shows (at most EXPORT_LIMIT)."""
        query = in_order(_listed(actor, settled), order, FAILURE_KEYS, FailureRow.id)
        with self._database.read() as session:
            return self._failures(session, actor, session.scalars(query.limit(EXPORT_LIMIT)).all())

    def get(self, actor: Actor, failure_id: str) -> Failure:
        """Raises NotFound for what the actor may not see."""
        with self._database.read() as session:
            return self._failures(session, actor, [_visible(session, actor, failure_id)])[0]

    def fates(self, payment: Payment) -> list[MailFate]:
        """What became of the e-mails to a payment's client, oldest first; the caller has the payment from a look-up of
        their own. Of e-mails before revision 0019 nothing is known."""
        query = select(PaymentMailRow).where(
            PaymentMailRow.payment_id == payment.id, PaymentMailRow.agency_id == payment.agency_id
        )
        with self._database.read() as session:
            return [
                MailFate(at=row.at, words=kind_of(row.kind).words, address=row.address, problem=row.problem)
                for row in session.scalars(query.order_by(PaymentMailRow.at, PaymentMailRow.id))
                if row.address.casefold() == payment.payer_email.casefold()
            ]

    def settle(self, actor: Actor, failure_id: str) -> Failure:
        """Puts it away. Doing so again changes nothing. Raises NotFound."""
        with self._database.transaction() as session:
            row = _visible(session, actor, failure_id)
            row.settled_at = row.settled_at or self._clock.now()
            session.flush()
            return self._failures(session, actor, [row])[0]

    def _failures(self, session: Session, actor: Actor, rows: Sequence[FailureRow]) -> list[Failure]:
        names = self._directory.names(session, actor.agency_id) if rows else {}
        clients = self._clients.load_many(session, actor.agency_id, {row.client_id for row in rows if row.client_id})
        return [
            Failure(
                id=row.id,
                agent_id=row.agent_id,
                agent_name=names.get(row.agent_id, ""),
                name=row.kind,
                kind=kind_of(row.kind),
                payment_id=row.payment_id,
                link_id=row.link_id,
                address=row.address or row.address_hint,
                client_id=row.client_id if row.client_id in clients else "",
                client_name=clients[row.client_id].name if row.client_id in clients else "",
                reason=row.reason,
                failed_at=row.failed_at,
                settled_at=row.settled_at,
            )
            for row in rows
        ]


def _listed(actor: Actor, settled: bool) -> Select[FailureRow]:
    query = select(FailureRow).where(visible_to(actor, FailureRow.agency_id, FailureRow.agent_id))
    return query.where(FailureRow.settled_at.is_not(None) if settled else FailureRow.settled_at.is_(None))


def _visible(session: Session, actor: Actor, failure_id: str) -> FailureRow:
    row = session.scalar(
        select(FailureRow).where(
            FailureRow.id == failure_id, visible_to(actor, FailureRow.agency_id, FailureRow.agent_id)
        )
    )
    if row is None:
        raise NotFound("There is no such e-mail among yours.")
    return row
