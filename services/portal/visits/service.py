"""Use cases of visits: learn of one, open it, show how far it is, and end it with one mail that brings all copies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final

import structlog
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database, insert_if_absent
from chassis.ids import token_sha256
from chassis.sealing import LetterSealer, link_letter
from chassis.timestamps import moment_of, stamp
from chassis.typed.names import called
from protos.wayvault.events.v1.events_pb2 import (
    Agency,
    Agent,
    Client,
    DeliverySent,
    SignedCopy,
    VisitAsked,
    VisitEnded,
    VisitOpened,
    VisitPart,
)
from services.portal.agents.rules import AgentView
from services.portal.esign.service import TITLE, Documents, SignRequests, new_document, sender_of
from services.portal.evidence import EvidenceStep, StepKind
from services.portal.insurance.service import new_offer
from services.portal.links.service import Links, add_evidence, share_evidence
from services.portal.merges.service import current_client_id
from services.portal.origin import Origin
from services.portal.visits.models import VisitPartRow, VisitRow, VisitTokenRow
from services.portal.visits.parts import document_part, file_name, payment_part
from services.portal.visits.rules import Part, PartKind, PartStatus, Standing, next_part, standing

__all__ = ["Part", "PartKind", "PartStatus", "Standing", "VisitView", "Visits", "note_answer"]

_log = structlog.get_logger(__name__)
_AT_ONCE: Final = 50
# An answer is told as soon as it is committed; what hinders the end of a visit is looked at again a little later.
_AGAIN: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitView:
    """A visit as it stands at the moment of the call. `agent` is the agent and agency of the sending."""

    visit_id: str
    agent: AgentView
    client_id: str
    client: Client
    booking_id: str
    booking_title: str
    parts: tuple[Part, ...]
    opened_at: datetime | None
    ended_at: datetime | None

    @property
    def standing(self) -> Standing:
        return standing([part.status for part in self.parts])

    @property
    def first_name(self) -> str:
        return called(self.client.first_name, self.client.last_name)

    @property
    def waiting(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.is_open)

    @property
    def done(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.status is PartStatus.DONE)

    @property
    def expires_at(self) -> datetime | None:
        """When the first part that still waits ends."""
        return min((part.expires_at for part in self.waiting), default=None)

    def next(self, after: str = "") -> Part | None:
        """What to go on with (rules.next_part)."""
        return next_part(self.parts, after)


class Visits:
    """The visits room. Methods with a `session` are parts of a caller's transaction."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        links: Links,
        requests: SignRequests,
        documents: Documents,
        letters: LetterSealer,
        public_url: str,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._links = links
        self._requests = requests
        self._documents = documents
        self._letters = letters
        self._public_url = public_url

    def learn(self, session: Session, message: VisitAsked, at: datetime) -> None:
        """Takes in a visit with its parts, or a further issue of it. Doubled and overtaken issues change nothing."""
        for part in message.parts:
            self._learn_part(session, part, at)
        row = session.get(VisitRow, message.visit_id, with_for_update=True)
        if row is None:
            row = VisitRow(visit_id=message.visit_id, issue=0, opened_at=None)
            _describe(session, row, message)
            session.add(row)
            session.flush()
        elif message.issue > row.issue:
            _describe(session, row, message)
        for place, part in enumerate(message.parts):
            kind, part_id = _known_as(part)
            values = {"part_id": part_id, "visit_id": row.visit_id, "place": place, "kind": kind.value}
            insert_if_absent(session, VisitPartRow.__table__, values)  # type: ignore[arg-type]
        self._add_token(session, row.visit_id, message.token_sha256, at)
        share_evidence(session, row.visit_id, [_known_as(part)[1] for part in message.parts])

    def _learn_part(self, session: Session, part: VisitPart, at: datetime) -> None:
        match part.WhichOneof("asked"):
            case "payment":
                self._links.learn_issued(session, part.payment, at)
            case "document":
                self._requests.learn(session, new_document(part.document, at))
            case "insurance":
                self._requests.learn(session, new_offer(part.insurance, at))

    def note_sent(self, session: Session, message: DeliverySent) -> None:
        """The letter left: a step of the evidence of every part."""
        step = EvidenceStep(kind=StepKind.LINK_SENT, at=moment_of(message.at), detail="by e-mail")
        add_evidence(session, message.link_id, step, ref=message.delivery_id)
        share_evidence(session, message.link_id, self._part_ids(session, message.link_id))

    def look_soon(self, session: Session, condition: ColumnElement[bool], after: timedelta = timedelta(0)) -> None:
        """Something was taken back: the worker looks whether that was the last that waited."""
        at = self._clock.now() + after
        session.execute(update(VisitRow).where(condition, VisitRow.ended_at.is_(None)).values(look_at=at))

    def find(self, visit_id: str) -> VisitView | None:
        """The visit by its id, or None. Changes nothing."""
        with self._database.read() as session:
            row = session.get(VisitRow, visit_id[:64])
            return self._view(session, row) if row is not None else None

    def around(self, part_id: str) -> VisitView | None:
        """The visit that this is a part of, or None."""
        query = select(VisitRow).join(VisitPartRow).where(VisitPartRow.part_id == part_id[:64])
        with self._database.read() as session:
            row = session.scalars(query).first()
            return self._view(session, row) if row is not None else None

    def open(self, visit_id: str, origin: Origin, *, token: str = "", client_id: str = "") -> VisitView | None:
        """Opens a visit with one of its tokens, or as the signed-in client who is asked: None for anybody else.

        With it, every part that waits is opened; the first opening is told to the CRM.
        """
        now = self._clock.now()
        with self._database.transaction() as session:
            row = session.get(VisitRow, visit_id[:64], with_for_update=True)
            if row is None:
                return None
            is_theirs = bool(client_id) and row.client_id == client_id
            if not is_theirs and not _has_token(session, row.visit_id, token):
                return None
            view = self._view(session, row)
            for part in view.waiting:
                room = self._links if part.kind is PartKind.PAYMENT else self._requests
                room.open_in_visit(session, part.part_id, origin)
            if view.waiting and row.opened_at is None:
                row.opened_at = now
                told = VisitOpened(visit_id=row.visit_id, at=stamp(now))
                self._outbox.add(session, told, aggregate_id=row.visit_id, agency_id=row.agency_id)
            return view

    def settle(self) -> int:
        """Ends the visits of which nothing waits any more; how many. Whatever was signed in one goes out in one mail,
        also when the rest has expired or was taken back."""
        now = self._clock.now()
        query = select(VisitRow.visit_id).where(VisitRow.look_at <= now).order_by(VisitRow.look_at)
        with self._database.read() as session:
            due = session.scalars(query.limit(_AT_ONCE)).all()
        return sum(self._settled(visit_id, now) for visit_id in due)

    def _settled(self, visit_id: str, now: datetime) -> bool:
        """As `_settle`; one whose copies can't be printed is tried again later, and stands in nobody's way."""
        try:
            return self._settle(visit_id, now)
        except SQLAlchemyError:
            raise
        except Exception:
            _log.exception("visit.not_ended", visit_id=visit_id)
            with self._database.transaction() as session:
                self.look_soon(session, VisitRow.visit_id == visit_id, after=_AGAIN)
            return False

    def _settle(self, visit_id: str, now: datetime) -> bool:
        seen = self.find(visit_id)
        # What was not printed yet is printed now, and in a transaction of its own.
        copies = self._copies(seen.done) if seen is not None and not seen.waiting else []
        with self._database.transaction() as session:
            row = session.get(VisitRow, visit_id, with_for_update=True)
            if row is None or seen is None or row.ended_at is not None:
                return False
            view = self._view(session, row)
            if view.parts != seen.parts:  # an answer came meanwhile
                row.look_at = now + _AGAIN
                return False
            if view.waiting:
                row.look_at = max(part.expires_at for part in view.waiting)
                return False
            row.ended_at, row.look_at = now, None
            if view.done:
                self._tell_end(session, row, view, copies, now)
            return True

    def _copies(self, done: Sequence[Part]) -> list[SignedCopy]:
        copies = []
        for number, part in enumerate(done, start=1):
            if part.kind is PartKind.PAYMENT:
                link = self._links.find(part.part_id)
                pdf = self._documents.pdf_of_payment(link.request.payment_id) if link is not None else None
                title = f"{TITLE}, {part.title}"
            else:
                pdf, title = self._documents.pdf_of_request(part.part_id), part.title
            if pdf:
                copies.append(SignedCopy(name=file_name(number, part.kind), pdf=pdf, title=title))
        return copies

    def _tell_end(
        self, session: Session, row: VisitRow, view: VisitView, copies: Sequence[SignedCopy], now: datetime
    ) -> None:
        letter = link_letter(
            self._letters,
            template="visit_copy",
            to=view.client.email,
            page=f"{self._public_url}/visit/{row.visit_id}",
            issued_at=now,
            expires_at=None,
        )
        self._add_token(session, row.visit_id, letter.token_sha256, now)
        event = VisitEnded(
            visit_id=row.visit_id,
            booking_id=row.booking_id,
            booking_title=row.booking_title,
            agency=Agency.FromString(row.agency),
            agent=Agent.FromString(row.agent),
            client=view.client,
            at=stamp(now),
            copies=copies,
            left_out=len(view.parts) - len(view.done),
            sealed_mail=letter.sealed,
        )
        self._outbox.add(session, event, aggregate_id=row.visit_id, agency_id=row.agency_id)

    def _part_ids(self, session: Session, visit_id: str) -> Sequence[str]:
        return session.scalars(select(VisitPartRow.part_id).where(VisitPartRow.visit_id == visit_id)).all()

    def _add_token(self, session: Session, visit_id: str, hashed: str, at: datetime) -> None:
        values = {"token_sha256": hashed, "visit_id": visit_id, "created_at": at}
        insert_if_absent(session, VisitTokenRow.__table__, values)  # type: ignore[arg-type]

    def _view(self, session: Session, row: VisitRow) -> VisitView:
        query = select(VisitPartRow).where(VisitPartRow.visit_id == row.visit_id)
        rows = session.scalars(query.order_by(VisitPartRow.place, VisitPartRow.part_id)).all()
        payments = [each.part_id for each in rows if each.kind == PartKind.PAYMENT]
        papers = [each.part_id for each in rows if each.kind != PartKind.PAYMENT]
        links = self._links.load_many(session, payments) if payments else {}
        requests = self._requests.load_many(session, papers) if papers else {}
        parts = [
            payment_part(links[each.part_id]) if each.part_id in links else document_part(requests[each.part_id])
            for each in rows
        ]
        return VisitView(
            visit_id=row.visit_id,
            agent=sender_of(Agent.FromString(row.agent), Agency.FromString(row.agency)),
            client_id=row.client_id,
            client=Client.FromString(row.client),
            booking_id=row.booking_id,
            booking_title=row.booking_title,
            parts=tuple(parts),
            opened_at=row.opened_at,
            ended_at=row.ended_at,
        )


def note_answer(session: Session, part_id: str, at: datetime) -> str:
    """Something was answered, in the caller's transaction: if it is part of a visit that goes on, the worker looks
    whether it was the last. Returns that visit's id, else nothing: who signs after its end gets their copy at once."""
    query = (
        select(VisitRow)
        .join(VisitPartRow)
        .where(VisitPartRow.part_id == part_id, VisitRow.ended_at.is_(None))
        .with_for_update(of=VisitRow)
    )
    row = session.scalars(query).first()
    if row is None:
        return ""
    row.look_at = at
    return row.visit_id


def _describe(session: Session, row: VisitRow, message: VisitAsked) -> None:
    row.issue = message.issue
    row.agency_id = message.agency.id
    row.client_id = current_client_id(session, message.client.id)
    row.booking_id, row.booking_title = message.booking_id, message.booking_title[:200]
    row.agency = message.agency.SerializeToString(deterministic=True)
    row.agent = message.agent.SerializeToString(deterministic=True)
    row.client = message.client.SerializeToString(deterministic=True)
    row.expires_at = moment_of(message.expires_at)
    row.ended_at, row.look_at = None, row.expires_at


def _known_as(part: VisitPart) -> tuple[PartKind, str]:
    match part.WhichOneof("asked"):
        case "payment":
            return PartKind.PAYMENT, part.payment.link_id
        case "insurance":
            return PartKind.INSURANCE, part.insurance.offer_id
        case _:
            return PartKind.DOCUMENT, part.document.request_id


def _has_token(session: Session, visit_id: str, token: str) -> bool:
    given = token_sha256(token)
    known = session.scalars(select(VisitTokenRow.token_sha256).where(VisitTokenRow.visit_id == visit_id)).all()
    return any(compare_digest(given, one) for one in known)
