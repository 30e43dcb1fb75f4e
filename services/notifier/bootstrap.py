"""The notifier's one composition root; tests call it with fakes."""

import ssl
import threading
from dataclasses import dataclass

from flask import Flask

from chassis.bus import EventHandlers, Outbox
from chassis.clock import Clock, SystemClock
from chassis.db import Database, open_database
from chassis.sealing import LetterReader
from chassis.web.app import make_app
from chassis.web.page import Brand
from services.notifier.agencies.service import Looks
from services.notifier.client_references import CLIENT_REFERENCES
from services.notifier.config import NotifierSettings
from services.notifier.deliveries.client_mails import ClientMails
from services.notifier.deliveries.document_mails import DocumentMails
from services.notifier.deliveries.events import DeliveryEvents
from services.notifier.deliveries.second_reveals import SecondRevealEvents
from services.notifier.deliveries.sender import Sender
from services.notifier.deliveries.service import Deliveries
from services.notifier.deliveries.signing_mails import SigningMails
from services.notifier.deliveries.support_mails import SupportMails
from services.notifier.deliveries.transports import SmtpTransport, Transport
from services.notifier.mailbox.service import Mailbox
from services.notifier.mailbox.views import make_blueprint
from services.notifier.merges import events as merge_events
from services.notifier.orm import event_tables
from services.notifier.reminders.events import ReminderEvents, learn_merged, note_payment, note_refund
from services.notifier.reminders.service import Schedule
from services.notifier.templates.rules import Mail


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """Everything a process of the notifier needs."""

    settings: NotifierSettings
    clock: Clock
    database: Database
    handlers: EventHandlers
    deliveries: Deliveries
    senders: tuple[Sender, ...]
    reminders: Schedule


def build(
    settings: NotifierSettings,
    *,
    clock: Clock | None = None,
    database: Database | None = None,
    transport: Transport | None = None,
) -> Notifier:
    """Wires the worker's parts. Raises SealError when a letter key is missing."""
    clock = clock or SystemClock()
    database = database or open_database(settings.database_url, name="notifier")
    letters = LetterReader(settings.letter_key, settings.letter_signers)
    wake = threading.Event()
    outbox = Outbox(event_tables, producer="notifier", clock=clock)
    deliveries = Deliveries(clock=clock, outbox=outbox, wake=wake)
    reminders = Schedule(
        database=database, deliveries=deliveries, outbox=outbox, clock=clock, portal_url=settings.portal_url
    )
    deliveries.follow(Mail.REMINDER, reminders)
    handlers = EventHandlers()
    looks = Looks()
    looks.register(handlers)
    mails = DeliveryEvents(
        deliveries=deliveries,
        letters=letters,
        clock=clock,
        crm_url=settings.crm_url,
        note_payment=note_payment,
        note_refund=note_refund,
    )
    mails.register(handlers)
    SigningMails(deliveries=deliveries, open_letter=mails.open_letter, crm_url=settings.crm_url).register(handlers)
    SecondRevealEvents(deliveries=deliveries, open_letter=mails.open_letter, crm_url=settings.crm_url).register(
        handlers
    )
    ClientMails(deliveries=deliveries, letters=letters, clock=clock, crm_url=settings.crm_url).register(handlers)
    ReminderEvents(schedule=reminders).register(handlers)
    SupportMails(deliveries=deliveries, crm_url=settings.crm_url).register(handlers)
    DocumentMails(deliveries=deliveries, portal_url=settings.portal_url).register(handlers)
    merge_events.subscribe(handlers, CLIENT_REFERENCES, learn_merged)
    transport = transport or _transport(settings, database, clock)
    senders = tuple(
        Sender(
            database=database,
            deliveries=deliveries,
            transport=transport,
            letters=letters,
            looks=looks,
            clock=clock,
            mail_from=settings.mail_from,
            wake=wake,
        )
        for _ in range(settings.senders)
    )
    return Notifier(
        settings=settings,
        clock=clock,
        database=database,
        handlers=handlers,
        deliveries=deliveries,
        senders=senders,
        reminders=reminders,
    )


def _transport(settings: NotifierSettings, database: Database, clock: Clock) -> Transport:
    if settings.keeps_mail_here:
        return Mailbox(database, clock)
    context = ssl.create_default_context(cafile=settings.smtp_ca or None)
    return SmtpTransport(settings.smtp_url, tls_context=context)


def mailbox_app(settings: NotifierSettings) -> Flask:
    """The mailbox page's Flask app."""
    clock = SystemClock()
    database = open_database(settings.database_url, name="notifier-web")
    app = make_app(
        import_name="services.notifier",
        service="mailbox",
        title="Wayvault mailbox",
        settings=settings,
        database=database,
        layout="guest",
        # A message is shown in a frame of its own page, without scripts or network.
        frame_origin="'self'",
    )
    app.register_blueprint(make_blueprint(Mailbox(database, clock)))
    app.context_processor(lambda: {"brand": Brand(name="Wayvault mailbox")})
    return app
