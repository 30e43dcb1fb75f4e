"""What the reminders room does on the events it hears."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import (
    AgentSaved,
    BookingRemindersSwitched,
    BookingSaved,
    ClientPortalActivated,
    ClientPortalWithdrawn,
    ClientProfile,
    ClientRemoved,
    ClientSaved,
    PaymentContext,
    PaymentRecorded,
    PaymentReversed,
    PaymentTakenByPhone,
    ReminderRuleSaved,
    ReminderSendNowRequested,
    ReminderTestRequested,
)
from services.notifier.reminders import facts
from services.notifier.reminders.rules import PaymentStatus
from services.notifier.reminders.service import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderEvents:
    """Keeps what reminders are planned by. Payments that other rooms hear of come through `note_payment`."""

    schedule: Schedule

    def register(self, handlers: EventHandlers) -> None:
        handlers.on(AgentSaved, self.agent_saved)
        handlers.on(ClientSaved, self.client_saved)
        handlers.on(ClientRemoved, self.client_removed)
        handlers.on(ClientPortalActivated, self.portal_activated)
        handlers.on(ClientPortalWithdrawn, self.portal_withdrawn)
        handlers.on(BookingSaved, self.booking_saved)
        handlers.on(BookingRemindersSwitched, self.switched)
        handlers.on(PaymentRecorded, self.payment_recorded)
        handlers.on(PaymentReversed, self.payment_reversed)
        handlers.on(PaymentTakenByPhone, self.payment_taken)
        handlers.on(ReminderRuleSaved, self.rule_saved)
        handlers.on(ReminderTestRequested, self.test_requested)
        handlers.on(ReminderSendNowRequested, self.send_now)

    def agent_saved(self, session: Session, event: AgentSaved, meta: EventMeta) -> None:
        facts.learn_agency(session, event.agency, meta.occurred_at)
        facts.learn_agent(session, event.agent, meta.occurred_at)

    def client_saved(self, session: Session, event: ClientSaved, meta: EventMeta) -> None:
        facts.learn_client(session, event.client, meta.occurred_at)

    def client_removed(self, session: Session, event: ClientRemoved, _: EventMeta) -> None:
        facts.forget_client(session, event.client_id)

    def portal_activated(self, session: Session, event: ClientPortalActivated, _: EventMeta) -> None:
        facts.welcome(session, event.client_id)

    def portal_withdrawn(self, session: Session, event: ClientPortalWithdrawn, _: EventMeta) -> None:
        facts.take_leave(session, event.client_id)

    def booking_saved(self, session: Session, event: BookingSaved, meta: EventMeta) -> None:
        facts.learn_booking(session, event, meta.agency_id, meta.occurred_at)

    def switched(self, session: Session, event: BookingRemindersSwitched, _: EventMeta) -> None:
        facts.learn_switches(session, event)

    def payment_recorded(self, session: Session, event: PaymentRecorded, _: EventMeta) -> None:
        facts.learn_payment(session, event.context, PaymentStatus.PROCESSED)

    def payment_taken(self, session: Session, event: PaymentTakenByPhone, _: EventMeta) -> None:
        # No mail: the agent was on the telephone with the client.
        facts.learn_payment(session, event.context, PaymentStatus.AUTHORIZED)

    def payment_reversed(self, session: Session, event: PaymentReversed, _: EventMeta) -> None:
        facts.learn_payment(session, event.context, PaymentStatus.REVERSED)

    def rule_saved(self, session: Session, event: ReminderRuleSaved, meta: EventMeta) -> None:
        facts.learn_agency(session, event.agency, meta.occurred_at)
        facts.learn_rule(session, event, meta.agency_id, meta.occurred_at)

    def test_requested(self, session: Session, event: ReminderTestRequested, meta: EventMeta) -> None:
        self.schedule.send_test(session, event, meta.event_id)

    def send_now(self, session: Session, event: ReminderSendNowRequested, _: EventMeta) -> None:
        self.schedule.send_now(session, event)


def note_payment(session: Session, context: PaymentContext, heard: str) -> None:
    """A payment was authorized, voided or has lapsed."""
    facts.learn_payment(session, context, PaymentStatus(heard))


def learn_merged(session: Session, profile: ClientProfile, meta: EventMeta) -> None:
    """The kept client of a merge, with what it kept of both."""
    facts.learn_client(session, profile.client, meta.occurred_at)


def note_refund(session: Session, payment_id: str, left_minor: int) -> None:
    """Part of a payment went back to the client: what is left counts on."""
    facts.learn_refund(session, payment_id, left_minor)
