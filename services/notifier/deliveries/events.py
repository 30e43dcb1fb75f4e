"""What the notifier does on the events it consumes: each asks for at most one mail to each person."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.money import Money
from chassis.sealing import Letter
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import (
    DocumentSigned,
    MailSealed,
    PaymentAuthorized,
    PaymentConfirmationWanted,
    PaymentContext,
    PaymentLapsed,
    PaymentLapsing,
    PaymentLinkIssued,
    PaymentProcessed,
    PaymentRefunded,
    PaymentReported,
    PaymentVoided,
)
from services.notifier.deliveries.formats import LOCALE, agency_data, card, day, moment, payment_facts
from services.notifier.deliveries.mailing import Facts, Mailing
from services.notifier.deliveries.message import Attachment
from services.notifier.deliveries.rules import mask_address
from services.notifier.deliveries.service import NewDelivery
from services.notifier.templates.rules import Mail, sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEvents:
    """Turns events into queued deliveries."""

    mailing: Mailing
    crm_url: str
    # An event has one reaction per service: what the reminders need to know of payments is passed on from here.
    note_payment: Callable[[Session, PaymentContext, str], None]
    # The payment's id, and how much of it still counts, in minor units.
    note_refund: Callable[[Session, str, int], None]

    def register(self, handlers: EventHandlers) -> None:
        handlers.on(PaymentLinkIssued, self.payment_link_issued)
        handlers.on(MailSealed, self.mail_sealed)
        handlers.on(PaymentAuthorized, self.payment_authorized)
        handlers.on(DocumentSigned, self.document_signed)
        handlers.on(PaymentProcessed, self.payment_processed)
        handlers.on(PaymentRefunded, self.payment_refunded)
        handlers.on(PaymentConfirmationWanted, self.confirmation_wanted)
        handlers.on(PaymentVoided, self.payment_voided)
        handlers.on(PaymentLapsing, self.payment_lapsing)
        handlers.on(PaymentLapsed, self.payment_lapsed)
        handlers.on(PaymentReported, self.payment_reported)

    def payment_link_issued(self, session: Session, event: PaymentLinkIssued, meta: EventMeta) -> None:
        context = event.context

        def facts(letter: Letter) -> dict[str, str]:
            return _facts(context) | {
                "expires": moment(event.expires_at, context.agency.time_zone),
                # Kept for the agent's confirmation that follows once this mail is sent.
                "booking_url": f"{self.crm_url}/bookings/{context.booking_id}",
                "client_address": mask_address(letter.to),
                "agent_address": context.agent.email,
            }

        self._letter(session, meta, event.sealed_mail, context, facts, link_id=event.link_id)

    def mail_sealed(self, session: Session, event: MailSealed, meta: EventMeta) -> None:
        letter = self.mailing.open(event.sealed_mail)
        if letter is None:
            self.mailing.deliveries.report_unreadable(
                session, agency_id=meta.agency_id, payment_id=event.payment_id, agent_id=event.agent_id
            )
            return
        self.mailing.deliveries.queue(
            session,
            NewDelivery(
                source_key=f"{meta.event_id}:{letter.template}",
                template=Mail(letter.template),
                agency_id=meta.agency_id,
                address_hint=mask_address(letter.to),
                sealed_letter=event.sealed_mail,
                payment_id=event.payment_id,
                link_id=event.link_id,
                agent_id=event.agent_id,
                expires_at=letter.expires_at,
            ),
        )

    def payment_authorized(self, session: Session, event: PaymentAuthorized, meta: EventMeta) -> None:
        self.note_payment(session, event.context, "authorized")
        if event.context.plan:
            return  # nobody has to process it; the standing order's own mail says that it was signed
        zone = event.context.agent.time_zone
        extra = {
            "card": card(event.brand, event.last4),
            "card_kept_until": moment(event.card_kept_until, zone),
            "cvv_kept_until": moment(event.cvv_kept_until, zone) if event.HasField("cvv_kept_until") else "",
        }
        self._queue_for_agent(session, meta, Mail.PAYMENT_ALERT, event.context, extra)

    def document_signed(self, session: Session, event: DocumentSigned, meta: EventMeta) -> None:
        if event.visit_id:
            return  # the client's copy comes when the visit ends
        attachment = Attachment(name="signed-authorization.pdf", content=event.pdf)
        self._letter(session, meta, event.sealed_mail, event.context, _facts(event.context), attachment=attachment)

    def payment_processed(self, session: Session, event: PaymentProcessed, meta: EventMeta) -> None:
        """M7: the client reads that it is done, with the supplier's number, and that the card is being destroyed."""
        context = event.context
        self.note_payment(session, context, "processed")
        facts = _facts(context)
        facts |= {
            "confirmation": event.confirmation_number,
            "processed": moment(event.at, context.agency.time_zone),
        }
        self._tell_client(session, meta, Mail.PAYMENT_PROCESSED, context, facts)

    def confirmation_wanted(self, session: Session, event: PaymentConfirmationWanted, meta: EventMeta) -> None:
        """G4: the client gets the link to their bank, or to the gateway's page."""
        facts = _facts(event.context) | {"card_again": "yes" if event.card_again else ""}
        self._letter(session, meta, event.sealed_mail, event.context, facts)

    def payment_refunded(self, session: Session, event: PaymentRefunded, meta: EventMeta) -> None:
        """G2: the client reads what went back to their card, and why."""
        context = event.context
        left = context.amount.minor - event.refunded.minor
        self.note_refund(session, context.payment_id, left)
        if not event.amount.minor:
            return  # one that came back: the agent finds another way, and tells the client
        facts = _facts(context)
        facts |= {
            "refund": Money(minor=event.amount.minor, currency=event.amount.currency).format(LOCALE),
            "refund_reason": sentence(event.reason),
            "refunded": moment(event.at, context.agency.time_zone),
            "left": Money(minor=left, currency=context.amount.currency).format(LOCALE) if left else "",
        }
        self._tell_client(session, meta, Mail.PAYMENT_REFUNDED, context, facts)

    def payment_voided(self, session: Session, event: PaymentVoided, meta: EventMeta) -> None:
        self.note_payment(session, event.context, "voided")
        # The fresh link's own mail tells the client of the void, or the standing order's; a second would only confuse.
        if event.fresh_link_follows or event.context.plan:
            return
        facts = _facts(event.context) | {"void_reason": sentence(event.reason)}
        self._tell_client(session, meta, Mail.VOID_NOTICE, event.context, facts)

    def payment_lapsing(self, session: Session, event: PaymentLapsing, meta: EventMeta) -> None:
        until = moment(event.card_kept_until, event.context.agent.time_zone)
        self._queue_for_agent(
            session,
            meta,
            Mail.CARD_LAPSING,
            event.context,
            {"card_kept_until": until},
            expires_at=moment_of(event.card_kept_until),
        )

    def payment_lapsed(self, session: Session, event: PaymentLapsed, meta: EventMeta) -> None:
        self.note_payment(session, event.context, "lapsed")
        self._queue_for_agent(session, meta, Mail.CARD_LAPSED, event.context, {})

    def payment_reported(self, session: Session, event: PaymentReported, meta: EventMeta) -> None:
        """C6: the agent learns what their client says; what the client wrote stands in the CRM."""
        extra = {"paid_on": day(event.context.paid_on), "reference": event.reference}
        self._queue_for_agent(session, meta, Mail.PAYMENT_REPORTED, event.context, extra)

    def _letter(
        self,
        session: Session,
        meta: EventMeta,
        sealed: str,
        context: PaymentContext,
        facts: Facts,
        *,
        link_id: str = "",
        attachment: Attachment | None = None,
    ) -> None:
        self.mailing.letter(
            session,
            meta,
            sealed,
            facts,
            agent_id=context.agent.id,
            payment_id=context.payment_id,
            link_id=link_id,
            attachment=attachment,
        )

    def _tell_client(
        self, session: Session, meta: EventMeta, mail: Mail, context: PaymentContext, facts: dict[str, str]
    ) -> None:
        self.mailing.mail(
            session,
            meta,
            mail,
            facts,
            to=context.payer.email,
            agent_id=context.agent.id,
            payment_id=context.payment_id,
        )

    def _queue_for_agent(
        self,
        session: Session,
        meta: EventMeta,
        mail: Mail,
        context: PaymentContext,
        extra: dict[str, str],
        *,
        expires_at: datetime | None = None,
    ) -> None:
        url = {"url": f"{self.crm_url}/payments/{context.payment_id}"}
        self.mailing.mail(
            session,
            meta,
            mail,
            _facts(context) | url | extra,
            to=context.agent.email,
            agent_id=context.agent.id,
            payment_id=context.payment_id,
            expires_at=expires_at,
        )


def _facts(context: PaymentContext) -> dict[str, str]:
    return payment_facts(context) | agency_data(context.agency)
