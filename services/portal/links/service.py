"""Use cases of payment authorization links: learn of one, open it, claim it for a submission, close it."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database, insert_if_absent
from chassis.ids import new_event_id, new_id, token_sha256
from chassis.timestamps import moment_of, stamp
from protos.wayvault.events.v1.events_pb2 import PaymentContext, PaymentLinkIssued, PaymentLinkOpened
from services.portal.course import Fact
from services.portal.evidence import EvidenceStep, StepKind
from services.portal.links.models import EvidenceRow, LinkRow, LinkTokenRow
from services.portal.links.rules import (
    COURSE,
    OWN_PAYMENT_VALID,
    Claim,
    LinkState,
    LinkStatus,
    SubmissionDecision,
    decide_submission,
    status_of,
)
from services.portal.merges.service import current_client_id
from services.portal.origin import Origin
from services.portal.payment_request import PaymentRequest, read_context

__all__ = [
    "Attempt",
    "LinkStatus",
    "LinkView",
    "Links",
    "OwnPayment",
    "SubmissionDecision",
    "add_evidence",
    "share_evidence",
]

# Longer than any submission can take: the vault's deadline is 5 s, with three tries.
CLAIM_LIFE = timedelta(seconds=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """A link as it stands at the moment of the call. `client_id` is who is to pay; `self_service` = they started it."""

    link_id: str
    client_id: str
    self_service: bool
    status: LinkStatus
    request: PaymentRequest
    context: bytes
    terms_text: str
    terms_version: str
    expires_at: datetime
    submitted_at: datetime | None
    replaces_payment_id: str

    @property
    def offer_digest(self) -> str:
        """Fingerprint of what the client is asked to sign. A form sent for another one is not accepted."""
        return sha256(b"\0".join((self.terms_text.encode(), self.terms_version.encode(), self.context))).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPayment:
    """A payment that a signed-in client starts (P3), with the terms they are to sign, every tag filled."""

    request_key: str
    client_id: str
    context: PaymentContext
    terms_text: str
    terms_version: str


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One submission of a link, and whether it may go on. `recorded`: the link is closed and its claim with it."""

    id: str
    decision: SubmissionDecision
    recorded: bool = False


class Links:
    """The links room. Methods with a `session` are parts of a caller's transaction."""

    def __init__(self, *, database: Database, outbox: Outbox, clock: Clock) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock

    def find(self, link_id: str) -> LinkView | None:
        """The link by its id, or None. Changes nothing."""
        with self._database.read() as session:
            row = session.get(LinkRow, link_id[:40])
            return None if row is None else self._view(row)

    def load_many(self, session: Session, link_ids: Collection[str]) -> dict[str, LinkView]:
        """The links with these ids."""
        rows = session.scalars(select(LinkRow).where(LinkRow.link_id.in_(link_ids)))
        return {row.link_id: self._view(row) for row in rows}

    def open(self, link_id: str, token: str, origin: Origin) -> LinkView | None:
        """Opens a link with one of its tokens: None when the token is not good for it.

        The first opening of a link that still waits for its client is told to the CRM (PaymentLinkOpened).
        """
        now = self._clock.now()
        with self._database.transaction() as session:
            row = self._locked(session, link_id)
            if row is None or not self._has_token(session, row.link_id, token):
                return None
            view = self._view(row)
            if view.status is LinkStatus.OPEN:
                self._note_opening(session, row, origin, now)
            return view

    def open_as(self, client_id: str, link_id: str, origin: Origin) -> LinkView | None:
        """Opens a link without its token, for the client who is to pay and has signed in; None for anybody else."""
        now = self._clock.now()
        with self._database.transaction() as session:
            row = self._locked(session, link_id)
            if row is None or not client_id or row.client_id != client_id:
                return None
            view = self._view(row)
            if view.status is LinkStatus.OPEN and not row.self_service:
                self._note_opening(session, row, origin, now)
            return view

    def open_in_visit(self, session: Session, link_id: str, origin: Origin) -> None:
        """The link of the visit that it is a part of was opened (C18): so is this one, while it waits."""
        row = self._locked(session, link_id)
        if row is not None and self._view(row).status is LinkStatus.OPEN:
            self._note_opening(session, row, origin, self._clock.now())

    def _note_opening(self, session: Session, row: LinkRow, origin: Origin, now: datetime) -> None:
        add_evidence(
            session,
            row.link_id,
            EvidenceStep(kind=StepKind.LINK_OPENED, at=now, ip=origin.ip, user_agent=origin.user_agent),
            ref=new_id("vis"),
        )
        row.state = COURSE.after(LinkState(row.state), Fact.OPENED)
        if row.opened_at is not None:
            return
        row.opened_at = now
        self._outbox.add(
            session,
            PaymentLinkOpened(link_id=row.link_id, payment_id=row.payment_id, at=stamp(now)),
            aggregate_id=row.link_id,
            agency_id=row.agency_id,
        )

    @contextmanager
    def claimed(self, link_id: str) -> Iterator[Attempt]:
        """Claims the link for one submission; freed at the end."""
        attempt = Attempt(id=(attempt_id := new_id("att")), decision=self._claim(link_id, attempt_id))
        try:
            yield attempt
        finally:
            if attempt.decision is SubmissionDecision.GO and not attempt.recorded:
                self._release(link_id, attempt_id)

    def _claim(self, link_id: str, attempt_id: str) -> SubmissionDecision:
        now = self._clock.now()
        # A claim is good for seconds: one that a power cut undoes is missed by nobody.
        with self._database.transaction(durable=False) as session:
            row = self._locked(session, link_id)
            if row is None:
                return SubmissionDecision.REVOKED
            claim = None
            if row.claim_id is not None and row.claim_until is not None:
                claim = Claim(attempt_id=row.claim_id, until=row.claim_until)
            decision = decide_submission(LinkState(row.state), expires_at=row.expires_at, claim=claim, now=now)
            if decision is SubmissionDecision.GO:
                # Not by the row: a claim is no news to open pages.
                session.execute(
                    update(LinkRow)
                    .where(LinkRow.link_id == link_id)
                    .values(claim_id=attempt_id, claim_until=now + CLAIM_LIFE)
                )
            return decision

    def _release(self, link_id: str, attempt_id: str) -> None:
        with self._database.transaction(durable=False) as session:
            session.execute(
                update(LinkRow)
                .where(LinkRow.link_id == link_id, LinkRow.claim_id == attempt_id)
                .values(claim_id=None, claim_until=None)
            )

    def is_under_way(self, link_id: str) -> bool:
        """Whether a submission of the link is being worked on at this moment."""
        with self._database.read() as session:
            row = session.get(LinkRow, link_id[:40])
            return row is not None and row.claim_until is not None and row.claim_until > self._clock.now()

    def mark_submitted(self, session: Session, link_id: str, attempt_id: str, at: datetime) -> bool:
        """Closes the link and its claim in the transaction that records the authorization. False when the claim was
        lost."""
        row = self._locked(session, link_id)
        if row is None or row.claim_id != attempt_id:
            return False
        row.state = COURSE.after(LinkState(row.state), Fact.ANSWERED)
        row.submitted_at = at
        row.claim_id = row.claim_until = None
        return True

    def add_token(self, session: Session, link_id: str, hashed: str) -> None:
        """Makes a further token good for the link (the one in the mailed copy). `hashed` as by token_sha256."""
        values = {"token_sha256": hashed, "link_id": link_id, "created_at": self._clock.now()}
        insert_if_absent(session, LinkTokenRow.__table__, values)  # type: ignore[arg-type]

    def evidence(self, link_id: str) -> tuple[EvidenceStep, ...]:
        """Every step so far, oldest first."""
        with self._database.read() as session:
            rows = session.scalars(
                select(EvidenceRow).where(EvidenceRow.link_id == link_id).order_by(EvidenceRow.at, EvidenceRow.id)
            )
            return tuple(
                EvidenceStep(
                    kind=StepKind(row.step), at=row.at, ip=row.ip, user_agent=row.user_agent, detail=row.detail
                )
                for row in rows
            )

    def replacement_of(self, payment_id: str) -> LinkView | None:
        """The fresh link that was made for a voided payment, if there is one; the newest when there are several."""
        with self._database.read() as session:
            row = session.scalars(
                select(LinkRow)
                .where(LinkRow.replaces_payment_id == payment_id)
                .order_by(LinkRow.issued_at.desc())
                .limit(1)
            ).first()
            return None if row is None else self._view(row)

    def begin(self, own: OwnPayment, origin: Origin) -> str:
        """Starts a client's own payment and returns its link's id. The same `request_key` again: the same link."""
        now = self._clock.now()
        with self._database.transaction() as session:
            query = select(LinkRow.link_id).where(
                LinkRow.request_key == own.request_key, LinkRow.client_id == own.client_id
            )
            if known := session.scalars(query).first():
                return known
            row = LinkRow(
                link_id=new_id("own"),
                payment_id=own.context.payment_id,
                agency_id=own.context.agency.id,
                client_id=own.client_id,
                self_service=True,
                request_key=own.request_key,
                state=LinkState.OPENED.value,
                issue=1,
                expires_at=now + OWN_PAYMENT_VALID,
                context=own.context.SerializeToString(deterministic=True),
                terms_text=own.terms_text,
                terms_version=own.terms_version,
                issued_at=now,
                opened_at=now,
            )
            session.add(row)
            session.flush()
            step = EvidenceStep(kind=StepKind.STARTED, at=now, ip=origin.ip, user_agent=origin.user_agent)
            add_evidence(session, row.link_id, step, ref="1")
            return row.link_id

    def asked_of(self, client_id: str) -> list[LinkView]:
        """What a client's agent asks them for and they have not answered yet, the newest first."""
        waiting = (LinkState.ISSUED.value, LinkState.OPENED.value)
        query = (
            select(LinkRow)
            .where(
                LinkRow.client_id == client_id,
                LinkRow.self_service.is_(False),
                LinkRow.state.in_(waiting),
                LinkRow.expires_at > self._clock.now(),
            )
            .order_by(LinkRow.issued_at.desc(), LinkRow.link_id)
        )
        with self._database.read() as session:
            return [self._view(row) for row in session.scalars(query)]

    def learn_issued(self, session: Session, message: PaymentLinkIssued, at: datetime) -> None:
        """Takes in a link, or a further issue of it. Doubled and overtaken issues change nothing."""
        row = self._locked(session, message.link_id)
        if row is None:
            row = _new_row(message, at)
            row.client_id = current_client_id(session, message.context.payer.id)
            session.add(row)
            session.flush()
        elif message.issue > row.issue:
            row.state = COURSE.after(LinkState(row.state), Fact.REISSUED)
            _describe(row, message)
        if message.token_sha256:  # a part of a visit has none of its own
            self.add_token(session, message.link_id, message.token_sha256)
        step = EvidenceStep(kind=StepKind.LINK_ISSUED, at=at, detail=f"by {message.context.agent.name}"[:200])
        add_evidence(session, message.link_id, step, ref=str(message.issue))

    def learn_revoked(self, session: Session, link_id: str) -> None:
        """Closes a link that the agent took back. A signed authorization stands."""
        row = self._locked(session, link_id)
        if row is not None:
            row.state = COURSE.after(LinkState(row.state), Fact.WITHDRAWN)

    def _locked(self, session: Session, link_id: str) -> LinkRow | None:
        return session.scalars(select(LinkRow).where(LinkRow.link_id == link_id[:40]).with_for_update()).one_or_none()

    def _has_token(self, session: Session, link_id: str, token: str) -> bool:
        given = token_sha256(token)
        known = session.scalars(select(LinkTokenRow.token_sha256).where(LinkTokenRow.link_id == link_id)).all()
        return any(compare_digest(given, one) for one in known)

    def _view(self, row: LinkRow) -> LinkView:
        return LinkView(
            link_id=row.link_id,
            client_id=row.client_id,
            self_service=row.self_service,
            status=status_of(LinkState(row.state), expires_at=row.expires_at, now=self._clock.now()),
            request=read_context(PaymentContext.FromString(row.context)),
            context=row.context,
            terms_text=row.terms_text,
            terms_version=row.terms_version,
            expires_at=row.expires_at,
            submitted_at=row.submitted_at,
            replaces_payment_id=row.replaces_payment_id,
        )


def add_evidence(session: Session, link_id: str, step: EvidenceStep, *, ref: str) -> None:
    """Adds a step once per `ref`: the same fact told twice is one step."""
    insert_if_absent(
        session,
        EvidenceRow.__table__,  # type: ignore[arg-type]
        {
            "id": new_event_id(),
            "link_id": link_id,
            "step": step.kind.value,
            "ref": ref[:80],
            "at": step.at,
            "ip": step.ip,
            "user_agent": step.user_agent,
            "detail": step.detail,
        },
    )


def share_evidence(session: Session, from_id: str, to_ids: Iterable[str]) -> None:
    """Adds the steps of a visit's own link to each of its parts; those that are there already once only."""
    columns = EvidenceRow.__table__.columns.keys()
    for row in session.scalars(select(EvidenceRow).where(EvidenceRow.link_id == from_id)).all():
        values = {name: getattr(row, name) for name in columns}
        for to_id in to_ids:
            copied = values | {"id": new_event_id(), "link_id": to_id}
            insert_if_absent(session, EvidenceRow.__table__, copied)  # type: ignore[arg-type]


def _new_row(message: PaymentLinkIssued, at: datetime) -> LinkRow:
    row = LinkRow(
        link_id=message.link_id,
        payment_id=message.context.payment_id,
        agency_id=message.context.agency.id,
        state=LinkState.ISSUED.value,
        issued_at=at,
    )
    _describe(row, message)
    return row


def _describe(row: LinkRow, message: PaymentLinkIssued) -> None:
    row.issue = message.issue
    row.expires_at = moment_of(message.expires_at)
    row.context = message.context.SerializeToString(deterministic=True)
    row.terms_text = message.terms_text
    row.terms_version = message.terms_version
    row.replaces_payment_id = message.replaces_payment_id
