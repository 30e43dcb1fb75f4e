"""An agency of its own with 100,000 clients and 500,000 payments, for speed work.

Rows go straight into the CRM's tables, nothing is told to the others. Safe to run again: what is there stays, an
interrupted run is taken up where it stopped.
"""

import random
from base64 import b32encode
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from chassis.db import Database
from chassis.typed.names import sort_key, text_of, title_key
from protos.wayvault.events.v1.events_pb2 import Client, Segment
from services.crm.access.agency.service import AgencyData, AgentData, AgentDetail, agency_snapshot, agent_snapshot
from services.crm.core.actor import Role
from services.crm.models import (
    BookingRow,
    BookingWordRow,
    ClientGroupMemberRow,
    ClientGroupRow,
    ClientRow,
    ClientWordRow,
    FamilyMemberRow,
    InstalmentRow,
    OccasionRow,
    PassengerRow,
    PaymentRow,
    SegmentRow,
    TaskRow,
)
from services.crm.parts import Dependencies
from services.crm.sales.clients.rules import ClientData, month_day, search_words
from services.crm.sales.groups.rules import GroupData, GroupKind, key_of
from services.crm.trips.bookings.rules import SegmentData, SegmentDetail
from services.crm.trips.bookings.rules import search_words as booking_words
from services.crm_demo.generator import Generator, MadeTrip
from services.crm_demo.payments import Paid, past_payments, still_pending

AGENCY = AgencyData(name="Meridian Travel Group", email="desk@meridian.example", time_zone="America/New_York")
ADMIN = AgentData(name="Lena Brook", email="lena@meridian.example", role=Role.ADMIN, time_zone="America/New_York")
# The first of the others has a fifth of all clients, the rest share what remains.
AGENTS = 20
CLIENTS = 100_000
PAYMENTS = 500_000
_CHUNK = 2_000
_SEED = 7_500_000
_TASK_SHARE = 0.03
# Of the clients with payments: whose last one waits for its agent.
_PENDING_SHARE = 0.02

# Parents before what names them.
_KINDS = (
    ClientRow,
    ClientWordRow,
    ClientGroupRow,
    ClientGroupMemberRow,
    FamilyMemberRow,
    OccasionRow,
    TaskRow,
    BookingRow,
    BookingWordRow,
    SegmentRow,
    InstalmentRow,
    PassengerRow,
    PaymentRow,
)

Rows = dict[type, list[dict[str, Any]]]  # Any: columns of several types
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What the large agency has now."""

    agency_id: str
    admin_id: str
    busiest_agent_id: str
    clients: int
    payments: int


def import_large(
    deps: Dependencies, *, clients: int = CLIENTS, payments: int = PAYMENTS, say: Progress = lambda _: None
) -> Made:
    """Fills the large agency up to so many clients and payments."""
    admin, agents = _people(deps)
    today = deps.core.clock.now().date()
    with deps.core.database.read() as session:
        have = _count(session, ClientRow, admin.agency_id)
    for first in range(have, clients, _CHUNK):
        last = min(first + _CHUNK, clients)
        # Rounded so that the whole comes out exactly.
        wanted = payments * last // clients - payments * first // clients
        _write(deps.core.database, _Batch(deps, agents, today, first).make(last - first, wanted))
        say(f"{last:,} of {clients:,} clients, {payments * last // clients:,} of {payments:,} payments")
    with deps.core.database.read() as session:
        return Made(
            agency_id=admin.agency_id,
            admin_id=admin.id,
            busiest_agent_id=agents[0].id,
            clients=_count(session, ClientRow, admin.agency_id),
            payments=_count(session, PaymentRow, admin.agency_id),
        )


def _people(deps: Dependencies) -> tuple[AgentDetail, list[AgentDetail]]:
    with deps.core.database.read() as session:
        admin = deps.access.directory.find_by_email(session, ADMIN.email)
    if admin is None:
        admin = deps.access.directory.create_agent(deps.access.directory.create_agency(AGENCY).id, ADMIN)
    agents = []
    for number in range(1, AGENTS + 1):
        data = AgentData(name=f"Agent {number:02d} Meridian", email=f"agent{number:02d}@meridian.example")
        with deps.core.database.read() as session:
            agent = deps.access.directory.find_by_email(session, data.email)
        agents.append(agent or deps.access.directory.create_agent(admin.agency_id, data))
    return admin, agents


def _count(session: Session, row: type[ClientRow] | type[PaymentRow], agency_id: str) -> int:
    return session.scalar(select(func.count()).where(row.agency_id == agency_id)) or 0


def _write(database: Database, rows: Rows) -> None:
    """One transaction: a chunk is there whole or not at all. Parents come before what names them."""
    with database.transaction() as session:
        for kind, values in rows.items():
            if values:
                session.execute(insert(kind), values)


class _Batch:
    """The rows of some clients and all that is theirs. The same first number makes the same rows."""

    def __init__(self, deps: Dependencies, agents: list[AgentDetail], today: date, first: int) -> None:
        self._generator = Generator(_SEED + first, today)
        self._chance = random.Random(_SEED + first)
        self._agents = agents
        self._first = first
        self._now = deps.core.clock.now()
        self._today = today
        agency = deps.access.directory.agency(agents[0].agency_id)
        self._agency = agency_snapshot(agency)
        self._wire_agents = {agent.id: agent_snapshot(agent) for agent in agents}
        self._rows: Rows = {kind: [] for kind in _KINDS}

    def make(self, clients: int, payments: int) -> Rows:
        """So many clients, each with a trip; the trips share so many payments."""
        for number in range(clients):
            share = payments * (number + 1) // clients - payments * number // clients
            self._client(self._first + number, share)
        return self._rows

    def _client(self, number: int, payments: int) -> None:
        agent = self._agents[0 if number % 5 == 0 else 1 + number % (AGENTS - 1)]
        data = self._generator.client(number)
        words = search_words(data)
        client_id, made = self._id("client"), self._now - timedelta(minutes=self._chance.randint(10_000, 1_500_000))
        base = {"agency_id": agent.agency_id, "agent_id": agent.id, "created_at": made}
        self._rows[ClientRow].append(
            base
            | asdict(data)
            | {
                "id": client_id,
                "birthday_month_day": month_day(data.birthday) if data.birthday else None,
                "sort_key": sort_key(data.first_name, data.last_name),
                "search_text": text_of(words),
                "merged_into_id": None,
                "updated_at": made + timedelta(minutes=self._chance.randint(0, 9_000)),
                "version": 1,
            }
        )
        whose = {"agency_id": agent.agency_id, "agent_id": agent.id}
        self._rows[ClientWordRow] += [whose | {"client_id": client_id, "word": word} for word in words]
        self._group(number, client_id, base, data)
        self._household({"client_id": client_id, "agent_id": agent.id}, data, made)
        if self._chance.random() < _TASK_SHARE:
            task = self._generator.task()
            self._rows[TaskRow].append(
                base
                | {"id": self._id("task"), "client_id": client_id, "title": task.title}
                | {"due_on": task.due_on, "done_at": None if self._chance.random() < 0.2 else made}
            )
        # Whoever has payments has travelled, or nearly so.
        self._trip(agent, client_id, data, self._generator.trip(past=True if number % 3 else None), payments)

    def _group(self, number: int, client_id: str, base: dict[str, Any], data: ClientData) -> None:
        """Every tenth client begins a household, every fiftieth a company."""
        for every, kind in ((10, GroupKind.HOUSEHOLD), (50, GroupKind.COMPANY)):
            if number % every == 0:
                name = f"{data.last_name or data.first_name} {kind} {number}"
                entered = {**asdict(GroupData(kind=kind, name=name)), "kind": kind.value, "name_key": key_of(name)}
                made, group_id = base["created_at"], self._id("group")
                rest = {"id": group_id, "import_id": None, "updated_at": made, "version": 1}
                self._rows[ClientGroupRow].append(base | entered | rest)
                seat = {"group_id": group_id, "client_id": client_id, "import_id": None, "added_at": made}
                self._rows[ClientGroupMemberRow].append(seat)

    def _household(self, whose: dict[str, str], data: ClientData, made: datetime) -> None:
        for member in self._generator.family(data.last_name):
            born = month_day(member.born_on) if member.born_on else None
            values = asdict(member) | whose | {"id": self._id("family"), "changed_at": made}
            self._rows[FamilyMemberRow].append(values | {"relation": member.relation.value, "born_month_day": born})
        for occasion in self._generator.occasions():
            values = asdict(occasion) | whose | {"id": self._id("occasion"), "changed_at": made}
            self._rows[OccasionRow].append(
                values | {"kind": occasion.kind.value, "month_day": month_day(occasion.first_on)}
            )

    def _trip(self, agent: AgentDetail, client_id: str, data: ClientData, trip: MadeTrip, payments: int) -> None:
        booking_id, currency = self._id("booking"), trip.currency
        begins = [part.begins_on for part in trip.segments if part.begins_on]
        made = self._now - timedelta(minutes=self._chance.randint(10_000, 1_500_000))
        suppliers = [(part.supplier_name, part.confirmation_number) for part in trip.segments]
        words = booking_words(trip.title, suppliers, [f"{data.first_name} {data.last_name}"])
        self._rows[BookingRow].append(
            {
                "id": booking_id,
                "agency_id": agent.agency_id,
                "agent_id": agent.id,
                "title": trip.title,
                "title_folded": title_key(trip.title),
                "status": trip.status.value,
                "currency": currency,
                "service_fee_minor": None,
                "service_fee_description": "",
                "notes": "",
                "departs_on": min(begins),
                "search_text": text_of(words),
                "created_at": made,
                "updated_at": made,
                "version": 1,
            }
        )
        whose = {"agency_id": agent.agency_id, "agent_id": agent.id}
        self._rows[BookingWordRow] += [whose | {"booking_id": booking_id, "word": word} for word in words]
        seat = {"id": self._id("passenger"), "booking_id": booking_id, "client_id": client_id, "position": 0}
        self._rows[PassengerRow].append(seat)
        segments = [(self._id("segment"), part) for part in trip.segments]
        for position, (segment_id, part) in enumerate(segments):
            self._rows[SegmentRow].append(_segment(segment_id, booking_id, position, part))
            self._rows[InstalmentRow] += _instalments(segment_id, booking_id, part)
        if payments:
            segment_id, part = segments[0]
            paid = Paid(
                agency=self._agency,
                agent=self._wire_agents[agent.id],
                payer=Client(id=client_id, first_name=data.first_name, last_name=data.last_name, email=data.email),
                booking_id=booking_id,
                booking_title=trip.title,
                segment=Segment(id=segment_id, supplier_name=part.supplier_name, kind=part.kind.value),
                total_minor=part.price.minor if part.price else 100_00,
                currency=currency,
                first_due=part.deposit_due_on or part.final_due_on or self._today,
                parts=payments,
            )
            rows = list(past_payments(paid, self._ids("pay"), self._chance, self._now))
            if self._chance.random() < _PENDING_SHARE:
                rows[-1] = still_pending(rows[-1], self._now, self._chance)
            self._rows[PaymentRow] += rows

    def _ids(self, prefix: str) -> Iterator[str]:
        while True:
            yield self._id(prefix)

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{b32encode(self._chance.randbytes(16)).decode().rstrip('=').lower()}"


def _instalments(segment_id: str, booking_id: str, part: SegmentData) -> Iterator[dict[str, Any]]:
    until_then = 0
    for position, due in enumerate(SegmentDetail(id=segment_id, booking_id=booking_id, data=part).scheduled):
        until_then += due.amount.minor
        yield {
            "id": due.id,
            "segment_id": segment_id,
            "booking_id": booking_id,
            "kind": due.kind.value,
            "position": position,
            "amount_minor": due.amount.minor,
            "due_on": due.due_on,
            "until_then_minor": until_then,
            "active": True,
        }


def _segment(segment_id: str, booking_id: str, position: int, part: SegmentData) -> dict[str, Any]:
    return {
        "id": segment_id,
        "booking_id": booking_id,
        "position": position,
        "supplier_name": part.supplier_name,
        "kind": part.kind.value,
        "confirmation_number": part.confirmation_number,
        "description": part.description,
        "begins_on": part.begins_on,
        "ends_on": part.ends_on,
        "price_minor": part.price.minor if part.price else None,
        "deposit_minor": part.deposit.minor if part.deposit else None,
        "deposit_due_on": part.deposit_due_on,
        "final_minor": part.final.minor if part.final else None,
        "final_due_on": part.final_due_on,
        "commission_minor": part.commission.minor if part.commission else None,
    }
