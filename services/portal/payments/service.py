"""Use cases of payments: open the card slot, take the authorization, tell what became of it.

The order of an authorization, and why nothing is lost or doubled whatever fails where:
1. claim the link: one submission at a time, so that two can't replace each other's card in the vault;
2. StoreCard with a key made from the sealed text: the same request again gets the same answer;
3. one transaction: authorization, signature with its record, events, link closed; the PDF is printed later. After
   it, every further submission finds the authorization. Before it, the vault holds a card that no one knows of; the
   client sends the form again, and the vault replaces that card by the new one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import errors
from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.ids import new_id, new_link_token, token_sha256
from chassis.money import Money
from chassis.sealing import LetterSealer
from chassis.typed.days import day_from
from protos.wayvault.events.v1.events_pb2 import PaymentContext, PaymentReported, PaymentType
from services.portal.esign.service import Answered, Documents, Printing
from services.portal.evidence import EvidenceStep, StepKind
from services.portal.links.service import Attempt, Links, LinkStatus, LinkView, SubmissionDecision, add_evidence
from services.portal.merges.service import current_client_id
from services.portal.origin import Origin
from services.portal.payment_request import PaymentRequest, read_context
from services.portal.payments.intake import CardIntakePort, Intake, StoredCard
from services.portal.payments.models import IntakeRow, PaymentRow
from services.portal.payments.record import (
    Authorization,
    authorized_event,
    copy_letter,
    document_facts,
    signed_event,
)
from services.portal.payments.rules import PaymentFacts, PaymentState, state_of
from services.portal.payments.values import (
    Authorized,
    CardRefused,
    LinkClosed,
    NotNow,
    OfferChanged,
    Outcome,
    StartOver,
    Submission,
    UnderWay,
)

# Refusals after which the card must be sealed anew, and whether the frame's key is at fault.
_START_OVER: dict[type[errors.WayvaultError], bool] = {
    errors.IntakeExpired: False,
    errors.IntakeUsed: False,
    errors.NotFound: False,
    errors.IdempotencyMismatch: False,
    errors.SealBroken: True,
}


# A client with more payments than this looks for the older ones with their agent.
_LISTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentStatus:
    """A payment as its pages show it. Without a card where it did not come through the portal."""

    payment_id: str
    link_id: str
    client_id: str
    told_at: datetime | None
    request: PaymentRequest
    facts: PaymentFacts
    brand: str
    last4: str
    cardholder_name: str
    fresh_link_follows: bool
    replacement: LinkView | None = None

    @property
    def state(self) -> PaymentState:
        return state_of(self.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A payment as the sums of a trip see it. Service fees are no part of a segment's price: they pay the fee."""

    segment_id: str
    is_fee: bool
    amount: Money
    state: PaymentState


class Payments:
    """The payments room."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        links: Links,
        documents: Documents,
        printing: Printing,
        intake: CardIntakePort,
        letters: LetterSealer,
        answered: Answered,
        public_url: str,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._links = links
        self._documents = documents
        self._printing = printing
        self._intake = intake
        self._letters = letters
        self._answered = answered
        self._public_url = public_url

    def open_intake(self, link: LinkView, origin: Origin) -> Intake:
        """A new card slot for the link's payment. Raises Unavailable and other refusals of the vault."""
        intake = self._intake.open_intake(idempotency_key=new_id("opn"), request=link.request, origin=origin)
        with self._database.transaction() as session:
            session.add(
                IntakeRow(
                    intake_id=intake.intake_id,
                    link_id=link.link_id,
                    opened_at=self._clock.now(),
                    expires_at=intake.expires_at,
                )
            )
        return intake

    def authorize(self, link_id: str, submission: Submission, origin: Origin) -> Outcome:
        """Takes a client's authorization, once, however often and from however many windows it is sent."""
        received_at = self._clock.now()
        with self._links.claimed(link_id) as attempt:
            match attempt.decision:
                case SubmissionDecision.ALREADY_AUTHORIZED:
                    return Authorized(again=True)
                case SubmissionDecision.UNDER_WAY:
                    return UnderWay()
                case SubmissionDecision.EXPIRED:
                    return LinkClosed(status=LinkStatus.EXPIRED)
                case SubmissionDecision.REVOKED:
                    return LinkClosed(status=LinkStatus.REVOKED)
                case SubmissionDecision.GO:
                    return self._store_and_record(link_id, attempt, submission, origin, received_at)

    def _store_and_record(
        self, link_id: str, attempt: Attempt, submission: Submission, origin: Origin, received_at: datetime
    ) -> Outcome:
        link = self._links.find(link_id)
        if link is None:
            return LinkClosed(status=LinkStatus.REVOKED)
        if link.offer_digest != submission.offer_digest:
            return OfferChanged()
        if not self._is_slot_of(link_id, submission.intake_id):
            return StartOver(message=errors.IntakeExpired.default_message, fresh_frame=False)
        stored = self._store(submission, origin)
        if not isinstance(stored, StoredCard):
            return stored
        made = self._sign(link, stored, submission, origin, received_at)
        return self._record(made, attempt, received_at)

    def _is_slot_of(self, link_id: str, intake_id: str) -> bool:
        with self._database.read() as session:
            row = session.get(IntakeRow, intake_id)
            return row is not None and row.link_id == link_id

    def _store(self, submission: Submission, origin: Origin) -> StoredCard | CardRefused | StartOver | NotNow:
        # Everything the vault compares is in the key: the same request again is the same call, any other is another.
        said = "\0".join((submission.intake_id, submission.sealed_card, origin.ip, origin.user_agent))
        try:
            return self._intake.store_card(
                idempotency_key=f"sto_{sha256(said.encode()).hexdigest()[:40]}",
                intake_id=submission.intake_id,
                sealed_card=submission.sealed_card,
                origin=origin,
            )
        except errors.CardInvalid as error:
            return CardRefused(field=error.field, message=error.message)
        except tuple(_START_OVER) as error:
            return StartOver(message=error.message, fresh_frame=_START_OVER[type(error)])
        except (errors.Unavailable, errors.DeadlineTooShort, errors.Busy) as error:
            return NotNow(message=error.message)

    def _sign(
        self, link: LinkView, card: StoredCard, submission: Submission, origin: Origin, received_at: datetime
    ) -> Authorization:
        """The signed document."""
        signed_at = self._clock.now()
        document = self._documents.make(
            request=link.request,
            facts=document_facts(link.request, card, submission.address),
            terms_text=link.terms_text,
            terms_version=link.terms_version,
            signature=submission.signature,
            steps=(*self._links.evidence(link.link_id), *_last_steps(origin, received_at, signed_at)),
            signed_at=signed_at,
            origin=origin,
        )
        return Authorization(link=link, card=card, address=submission.address, document=document)

    def _record(self, made: Authorization, attempt: Attempt, received_at: datetime) -> Outcome:
        link, document = made.link, made.document
        token = new_link_token()
        letter = self._letters.seal(copy_letter(made, f"{self._public_url}/pay/{link.link_id}#{token}"))
        payment_id, agency_id = link.request.payment_id, link.request.agency_id
        with self._database.transaction() as session:
            if not self._links.mark_submitted(session, link.link_id, attempt.id, document.signed_at):
                # The claim ran out while the vault worked; another submission has taken over.
                return UnderWay()
            for step in _last_steps(document.origin, received_at, document.signed_at):
                add_evidence(session, link.link_id, step, ref=attempt.id)
            self._links.add_token(session, link.link_id, token_sha256(token))
            self._documents.keep(
                session,
                document,
                agency_id=agency_id,
                payment_id=payment_id,
                client_id=current_client_id(session, PaymentContext.FromString(link.context).payer.id),
            )
            _keep_payment(session, payment_row(session, payment_id), made)
            self._outbox.add(session, authorized_event(made), aggregate_id=payment_id, agency_id=agency_id)
            signed = signed_event(made, letter)
            signed.visit_id = self._answered(session, link.link_id, document.signed_at)
            self._printing.announce(
                session, document.document_id, signed, aggregate_id=document.document_id, agency_id=agency_id
            )
        attempt.recorded = True
        return Authorized()

    def status(self, payment_id: str) -> PaymentStatus | None:
        """The payment as it stands; None when nobody authorized it."""
        replacement = self._links.replacement_of(payment_id)
        with self._database.read() as session:
            row = session.get(PaymentRow, payment_id[:40])
            if row is None or row.authorized_at is None:
                return None
            return _status(row, replacement)

    def of_client(self, client_id: str, payment_id: str) -> PaymentStatus | None:
        """One of the client's own payments; None for any other."""
        replacement = self._links.replacement_of(payment_id)
        with self._database.read() as session:
            row = session.get(PaymentRow, payment_id[:40])
            return None if row is None or row.client_id != client_id else _status(row, replacement)

    def list_of_client(self, client_id: str, *, booking_id: str = "") -> list[PaymentStatus]:
        """The client's own payments, of one trip or of all, the newest first."""
        query = select(PaymentRow).where(PaymentRow.client_id == client_id)
        if booking_id:
            query = query.where(PaymentRow.booking_id == booking_id)
        with self._database.read() as session:
            rows = session.scalars(query.order_by(PaymentRow.told_at.desc(), PaymentRow.payment_id).limit(_LISTED))
            return [_status(row) for row in rows]

    def report(self, context: PaymentContext, *, reference: str, note: str) -> None:
        """The client says that something was paid otherwise (C6): a payment that counts for nothing until the agent
        confirms it. The same payment again changes nothing."""
        now = self._clock.now()
        with self._database.transaction() as session:
            row = payment_row(session, context.payment_id)
            if row.reported_at is not None:
                return
            note_context(session, row, context, now)
            row.reported_at, row.confirmation_number = now, reference[:200]
            event = PaymentReported(context=context, reference=reference, note=note)
            event.at.FromDatetime(now)
            self._outbox.add(session, event, aggregate_id=context.payment_id, agency_id=context.agency.id)

    def counted(self, booking_ids: Collection[str]) -> dict[str, list[Counted]]:
        """Every traveler's payments of these trips by booking, as sums see them."""
        query = select(PaymentRow).where(PaymentRow.booking_id.in_(booking_ids))
        found: dict[str, list[Counted]] = {}
        with self._database.read() as session:
            for row in session.scalars(query):
                amount = Money(minor=row.amount_minor - row.refunded_minor, currency=row.currency)
                state = state_of(_facts(row))
                one = Counted(segment_id=row.segment_id, is_fee=row.is_fee, amount=amount, state=state)
                found.setdefault(row.booking_id, []).append(one)
        return found


def note_context(session: Session, row: PaymentRow, context: PaymentContext, at: datetime) -> None:
    """Keeps who pays what for which part of which trip, and whether money moves. The first word stays: it is what the
    client signed; a charge comes later, and says whether it is a test."""
    row.test_mode = row.test_mode or context.test_mode
    if row.context or not context.payer.id:
        return
    row.context = context.SerializeToString(deterministic=True)
    row.agency_id = context.agency.id
    row.client_id = current_client_id(session, context.payer.id)
    row.booking_id, row.segment_id = context.booking_id, context.segment.id
    row.amount_minor, row.currency = context.amount.minor, context.amount.currency or "USD"
    row.is_fee = context.type == PaymentType.PAYMENT_TYPE_SERVICE_FEE
    row.told_at = at
    row.method, row.paid_on = context.method[:16], day_from(context.paid_on)


def payment_over(session: Session, payment_id: str) -> bool:
    """Whether nothing more is wanted of the client: the payment is closed, or its card destroyed."""
    row = session.get(PaymentRow, payment_id)
    if row is None:
        return False
    ends = (row.processed_at, row.voided_at, row.lapsed_at, row.card_removed_at)
    return any(moment is not None for moment in ends)


def payment_row(session: Session, payment_id: str) -> PaymentRow:
    """The payment's row, locked; made when it is the first fact about the payment."""
    row = session.get(PaymentRow, payment_id, with_for_update=True)
    if row is None:
        row = PaymentRow(payment_id=payment_id)
        session.add(row)
        session.flush()
    return row


def _last_steps(origin: Origin, received_at: datetime, signed_at: datetime) -> tuple[EvidenceStep, EvidenceStep]:
    return (
        EvidenceStep(kind=StepKind.SUBMITTED, at=received_at, ip=origin.ip, user_agent=origin.user_agent),
        EvidenceStep(kind=StepKind.SIGNED, at=signed_at, ip=origin.ip, user_agent=origin.user_agent),
    )


def _keep_payment(session: Session, row: PaymentRow, made: Authorization) -> None:
    note_context(session, row, PaymentContext.FromString(made.link.context), made.document.signed_at)
    row.link_id = made.link.link_id
    row.card_token = made.card.card_token
    row.brand = made.card.brand
    row.last4 = made.card.last4
    row.cardholder_name = made.card.cardholder_name
    row.billing_address = made.address.to_proto().SerializeToString()
    row.document_id = made.document.document_id
    row.authorized_at = made.document.signed_at
    row.card_kept_until = made.card.card_kept_until
    row.cvv_kept_until = made.card.cvv_kept_until


def _status(row: PaymentRow, replacement: LinkView | None = None) -> PaymentStatus:
    return PaymentStatus(
        payment_id=row.payment_id,
        link_id=row.link_id,
        client_id=row.client_id,
        told_at=row.told_at,
        request=read_context(PaymentContext.FromString(row.context)),
        facts=_facts(row),
        brand=row.brand,
        last4=row.last4,
        cardholder_name=row.cardholder_name,
        fresh_link_follows=row.fresh_link_follows,
        replacement=replacement,
    )


def _facts(row: PaymentRow) -> PaymentFacts:
    return PaymentFacts(
        authorized_at=row.authorized_at,
        retrieved_at=row.retrieved_at,
        retrieved_by=row.retrieved_by,
        processed_at=row.processed_at,
        confirmation_number=row.confirmation_number,
        voided_at=row.voided_at,
        void_reason=row.void_reason,
        lapsed_at=row.lapsed_at,
        reported_at=row.reported_at,
        declined_at=row.declined_at,
        reversed_at=row.reversed_at,
        refunded_at=row.refunded_at,
        refunded=Money(minor=row.refunded_minor, currency=row.currency or "USD") if row.refunded_minor else None,
        test_mode=row.test_mode,
        answer=row.answer,
        method=row.method,
        paid_on=row.paid_on,
        card_removed_at=row.card_removed_at,
        card_kept_until=row.card_kept_until,
        cvv_kept_until=row.cvv_kept_until,
    )
