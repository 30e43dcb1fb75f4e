"""Use cases of signing requests: learn of one, open it, sign it, take it back.

What is signed may differ (a document, an insurance offer); what a request goes through is the same. What differs is a
`Genre`: the composition root gives one per kind.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from google.protobuf.message import Message
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database, insert_if_absent
from chassis.ids import new_id, new_link_token, token_sha256
from chassis.money import Money
from protos.wayvault.events.v1.events_pb2 import Agency, Agent, Client, EsignSigned, InsuranceDecided
from services.portal.agents.rules import AgentView
from services.portal.course import Fact
from services.portal.esign.documents import Documents, DocumentText, SignedDocument
from services.portal.esign.models import SignRequestRow, SignTokenRow
from services.portal.esign.printing import Printing
from services.portal.esign.request_rules import (
    COURSE,
    RequestKind,
    RequestState,
    RequestStatus,
    status_of,
)
from services.portal.esign.rules import Signature, text_sha256
from services.portal.evidence import EvidenceStep, StepKind
from services.portal.links.service import Links, add_evidence
from services.portal.merges.service import current_client_id
from services.portal.origin import Origin
from services.portal.payment_request import readable_accent

# Told within the transaction what was answered, and when; says in which visit, while that goes on, else "".
Answered = Callable[[Session, str, datetime], str]

_WAITING = (RequestState.ISSUED.value, RequestState.OPENED.value)
_LISTED = 100


class TextChanged(Exception):
    """A request's text does not have the fingerprint that came with it: a dead letter for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A request as the CRM sends one, or a further issue of it. Moments are aware UTC."""

    request_id: str
    kind: RequestKind
    booking_id: str
    booking_title: str
    agency: Agency
    agent: Agent
    signer: Client
    title: str
    text: str
    text_sha256: str
    text_version: str
    token_sha256: str
    price: Money | None = None
    issue: int
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRequest:
    """A request as it stands at the moment of the call. `agent` is the agent and agency of the sending."""

    request_id: str
    kind: RequestKind
    status: RequestStatus
    agent: AgentView
    client_id: str
    signer: Client
    booking_id: str
    booking_title: str
    title: str
    text: str
    text_version: str
    price: Money | None
    accepted: bool | None
    issued_at: datetime
    expires_at: datetime
    opened_at: datetime | None
    signed_at: datetime | None
    document_id: str

    @property
    def signer_name(self) -> str:
        return f"{self.signer.first_name} {self.signer.last_name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """How a request is signed. `accepted` answers an offer; None for a document."""

    signature: Signature
    origin: Origin
    accepted: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Genre:
    """What one kind of request has of its own. `path` is where its pages are ("sign" for /sign/<id>)."""

    path: str
    text: Callable[[SignRequest, bool | None], DocumentText]
    # What is told when it is opened for the first time; None = nobody is told.
    opened: Callable[[SignRequest, datetime], Message] | None
    # What is told when it is signed, once the PDF is printed, which goes into `pdf` and `pdf_sha256`. The last argument
    # is the address by which the signer comes back to it.
    signed: Callable[[SignRequest, SignedDocument, Signing, str], EsignSigned | InsuranceDecided]


class SignRequests:
    """The signing requests. Methods with a `session` are parts of a caller's transaction."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        documents: Documents,
        printing: Printing,
        links: Links,
        genres: Mapping[RequestKind, Genre],
        answered: Answered,
        public_url: str,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._documents = documents
        self._printing = printing
        self._links = links
        self._genres = genres
        self._answered = answered
        self._public_url = public_url
        if missing := set(RequestKind) - set(genres):
            raise ValueError(f"no genre for {sorted(missing)}")

    def learn(self, session: Session, new: NewRequest) -> None:
        """Takes in a request, or a further issue of it. What was signed or taken back stays so. Raises TextChanged."""
        if text_sha256(new.text) != new.text_sha256:
            raise TextChanged(new.request_id)
        values = {"request_id": new.request_id, "state": RequestState.ISSUED.value, "issue": 0, "accepted": None}
        values |= _columns(session, new) | {"opened_at": None, "signed_at": None, "document_id": ""}
        insert_if_absent(session, SignRequestRow.__table__, values)  # type: ignore[arg-type]
        if new.token_sha256:  # a part of a visit has none of its own
            token = {"token_sha256": new.token_sha256, "request_id": new.request_id, "created_at": new.issued_at}
            insert_if_absent(session, SignTokenRow.__table__, token)  # type: ignore[arg-type]
        row = _locked(session, new.request_id)
        if row is None or new.issue <= row.issue:
            return
        row.issue = new.issue
        row.state = COURSE.after(RequestState(row.state), Fact.REISSUED)
        row.expires_at = max(row.expires_at, new.expires_at)
        row.signer = _readdressed(row.signer, new.signer.email)
        step = EvidenceStep(kind=StepKind.LINK_ISSUED, at=new.issued_at)
        add_evidence(session, row.request_id, step, ref=f"issue {new.issue}")

    def withdraw(self, session: Session, request_id: str) -> None:
        """The agent takes the request back. What was signed before stays signed."""
        if (row := _locked(session, request_id)) is not None:
            row.state = COURSE.after(RequestState(row.state), Fact.WITHDRAWN)

    def find(self, request_id: str, kind: RequestKind) -> SignRequest | None:
        """The request by its id, or None. Changes nothing."""
        with self._database.read() as session:
            row = session.get(SignRequestRow, request_id[:64])
            return self._view(row) if row is not None and row.kind == kind else None

    def load_many(self, session: Session, request_ids: Collection[str]) -> dict[str, SignRequest]:
        """The requests with these ids, of any kind."""
        rows = session.scalars(select(SignRequestRow).where(SignRequestRow.request_id.in_(request_ids)))
        return {row.request_id: self._view(row) for row in rows}

    def open_in_visit(self, session: Session, request_id: str, origin: Origin) -> None:
        """The link of the visit that it is a part of was opened (C18): so is this one, while it waits."""
        row = _locked(session, request_id)
        view = self._view(row) if row is not None else None
        if row is not None and view is not None and view.status is RequestStatus.OPEN:
            self._note_opening(session, row, view, origin, self._clock.now())

    def open(
        self, request_id: str, kind: RequestKind, origin: Origin, *, token: str = "", client_id: str = ""
    ) -> SignRequest | None:
        """Opens a request with one of its tokens, or as the signed-in client who is asked: None for anybody else.

        The first opening of a request that waits is told to the CRM.
        """
        now = self._clock.now()
        with self._database.transaction() as session:
            row = _locked(session, request_id)
            if row is None or row.kind != kind:
                return None
            is_theirs = bool(client_id) and row.client_id == client_id
            if not is_theirs and not _has_token(session, row.request_id, token):
                return None
            view = self._view(row)
            if view.status is RequestStatus.OPEN:
                self._note_opening(session, row, view, origin, now)
            return self._view(row)

    def _note_opening(
        self, session: Session, row: SignRequestRow, view: SignRequest, origin: Origin, now: datetime
    ) -> None:
        step = EvidenceStep(kind=StepKind.LINK_OPENED, at=now, ip=origin.ip, user_agent=origin.user_agent)
        add_evidence(session, row.request_id, step, ref=new_id("vis"))
        row.state = COURSE.after(RequestState(row.state), Fact.OPENED)
        if row.opened_at is not None:
            return
        row.opened_at = now
        if tell := self._genres[view.kind].opened:
            self._outbox.add(session, tell(view, now), aggregate_id=row.request_id, agency_id=row.agency_id)

    def sign(self, request_id: str, kind: RequestKind, signing: Signing) -> SignRequest | None:
        """Signs the request, once, however often and from however many windows it is sent; None if there is none.

        The request comes back as it stands afterwards: one that was taken back or has expired is not signed.
        """
        received_at = self._clock.now()
        request = self.find(request_id, kind)
        if request is None or request.status is not RequestStatus.OPEN:
            return request
        genre = self._genres[kind]
        signed_at = self._clock.now()
        last = _last_steps(signing.origin, received_at, signed_at)
        document = self._documents.write(
            genre.text(request, signing.accepted),
            signature=signing.signature,
            steps=(*self._links.evidence(request_id), *last),
            signed_at=signed_at,
            origin=signing.origin,
        )
        with self._database.transaction() as session:
            row = _locked(session, request_id)
            if row is None:
                return None
            if self._view(row).status is RequestStatus.OPEN:
                self._record(session, row, request, document=document, signing=signing, last=last)
            return self._view(row)

    def _record(
        self,
        session: Session,
        row: SignRequestRow,
        request: SignRequest,
        *,
        document: SignedDocument,
        signing: Signing,
        last: tuple[EvidenceStep, ...],
    ) -> None:
        genre = self._genres[request.kind]
        row.state = COURSE.after(RequestState(row.state), Fact.ANSWERED)
        row.signed_at, row.document_id, row.accepted = document.signed_at, document.document_id, signing.accepted
        for step in last:
            add_evidence(session, row.request_id, step, ref=document.document_id)
        self._documents.keep(
            session, document, agency_id=row.agency_id, request_id=row.request_id, client_id=row.client_id
        )
        token = new_link_token()
        digest = token_sha256(token)
        session.add(SignTokenRow(token_sha256=digest, request_id=row.request_id, created_at=document.signed_at))
        url = f"{self._public_url}/{genre.path}/{row.request_id}#{token}"
        event = genre.signed(request, document, signing, url)
        event.visit_id = self._answered(session, row.request_id, document.signed_at)
        self._printing.announce(
            session, document.document_id, event, aggregate_id=row.request_id, agency_id=row.agency_id
        )

    def waiting(self, client_id: str) -> list[SignRequest]:
        """What waits for a client's signature, longest waiting first."""
        query = select(SignRequestRow).where(*self._waiting(client_id)).order_by(SignRequestRow.issued_at)
        with self._database.read() as session:
            return [self._view(row) for row in session.scalars(query.limit(_LISTED))]

    def waiting_count(self, client_id: str) -> int:
        """How much waits for a client's signature."""
        query = select(func.count()).select_from(SignRequestRow).where(*self._waiting(client_id))
        with self._database.read() as session:
            return session.scalar(query) or 0

    def answers_of(self, client_id: str) -> dict[str, SignRequest]:
        """What a client has signed, by the signed document's id."""
        query = (
            select(SignRequestRow)
            .where(SignRequestRow.client_id == client_id, SignRequestRow.state == RequestState.SIGNED.value)
            .order_by(SignRequestRow.signed_at.desc())
        )
        with self._database.read() as session:
            return {row.document_id: self._view(row) for row in session.scalars(query.limit(_LISTED))}

    def _waiting(self, client_id: str) -> tuple[ColumnElement[bool], ...]:
        return (
            SignRequestRow.client_id == client_id,
            SignRequestRow.state.in_(_WAITING),
            SignRequestRow.expires_at > self._clock.now(),
        )

    def _view(self, row: SignRequestRow) -> SignRequest:
        return SignRequest(
            request_id=row.request_id,
            kind=RequestKind(row.kind),
            status=status_of(RequestState(row.state), expires_at=row.expires_at, now=self._clock.now()),
            agent=sender_of(Agent.FromString(row.agent), Agency.FromString(row.agency)),
            client_id=row.client_id,
            signer=Client.FromString(row.signer),
            booking_id=row.booking_id,
            booking_title=row.booking_title,
            title=row.title,
            text=row.text,
            text_version=row.text_version,
            price=None if row.price_minor is None else Money(minor=row.price_minor, currency=row.currency),
            accepted=row.accepted,
            issued_at=row.issued_at,
            expires_at=row.expires_at,
            opened_at=row.opened_at,
            signed_at=row.signed_at,
            document_id=row.document_id,
        )


def _columns(session: Session, new: NewRequest) -> dict[str, object]:
    return {
        "kind": new.kind.value,
        "agency_id": new.agency.id,
        "booking_id": new.booking_id,
        "booking_title": new.booking_title[:200],
        "client_id": current_client_id(session, new.signer.id),
        "agency": new.agency.SerializeToString(deterministic=True),
        "agent": new.agent.SerializeToString(deterministic=True),
        "signer": new.signer.SerializeToString(deterministic=True),
        "title": new.title[:200],
        "text": new.text,
        "text_version": new.text_version[:60],
        "price_minor": new.price.minor if new.price else None,
        "currency": new.price.currency if new.price else "",
        "issued_at": new.issued_at,
        "expires_at": new.expires_at,
    }


def _readdressed(signer: bytes, email: str) -> bytes:
    """The signer as they were asked first, at the address that was corrected since."""
    known = Client.FromString(signer)
    known.email = email
    return known.SerializeToString(deterministic=True)


def _locked(session: Session, request_id: str) -> SignRequestRow | None:
    return session.get(SignRequestRow, request_id[:64], with_for_update=True)


def _has_token(session: Session, request_id: str, token: str) -> bool:
    given = token_sha256(token)
    known = session.scalars(select(SignTokenRow.token_sha256).where(SignTokenRow.request_id == request_id)).all()
    return any(compare_digest(given, one) for one in known)


def _last_steps(origin: Origin, received_at: datetime, signed_at: datetime) -> tuple[EvidenceStep, EvidenceStep]:
    return (
        EvidenceStep(kind=StepKind.SUBMITTED, at=received_at, ip=origin.ip, user_agent=origin.user_agent),
        EvidenceStep(kind=StepKind.SIGNED, at=signed_at, ip=origin.ip, user_agent=origin.user_agent),
    )


def sender_of(agent: Agent, agency: Agency) -> AgentView:
    """The agent and agency of a sending, as events told of them."""
    return AgentView(
        agent_id=agent.id,
        slug="",
        name=agent.name,
        email=agent.email,
        phone=agent.phone,
        active=True,
        agency_id=agency.id,
        agency_name=agency.name,
        accent=readable_accent(agency.accent_colour),
        agency_phone=agency.phone,
        agency_email=agency.email,
        time_zone=agency.time_zone or agent.time_zone or "UTC",
        paper=agency.paper,
    )
