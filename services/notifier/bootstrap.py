"""The notifier's composition root: the one place where its parts are made and joined.

Tests call `bootstrap` with fakes for what they don't want to be real. Nothing is built at import.
"""

import ssl
import threading

from chassis.bus import Outbox
from chassis.clock import Clock, SystemClock
from chassis.db import Database, open_database
from chassis.sealing import LetterReader
from services.notifier.agencies.service import Looks
from services.notifier.config import NotifierSettings
from services.notifier.deliveries.leases import Leases
from services.notifier.deliveries.sender import Sender
from services.notifier.deliveries.service import Deliveries
from services.notifier.deliveries.transports import SmtpTransport, Transport
from services.notifier.mailbox.service import Mailbox
from services.notifier.orm import event_tables
from services.notifier.parts import Core, Dependencies
from services.notifier.reminders.service import Schedule
from services.notifier.templates.rules import Mail

SERVICE = "notifier"


def bootstrap(
    settings: NotifierSettings,
    *,
    clock: Clock | None = None,
    database: Database | None = None,
    transport: Transport | None = None,
) -> Dependencies:
    """The notifier's parts, joined. What is not given is the real thing, by the settings.

    Raises SealError when a letter key is missing.
    """
    core = _core(settings, clock or SystemClock(), database)
    deliveries = Deliveries(clock=core.clock, outbox=core.outbox, wake=core.wake)
    reminders = Schedule(
        database=core.database,
        deliveries=deliveries,
        outbox=core.outbox,
        clock=core.clock,
        portal_url=settings.portal_url,
    )
    deliveries.follow(Mail.REMINDER, reminders)
    looks = Looks()
    leases = Leases(database=core.database, clock=core.clock)
    transport = transport or _transport(core)
    return Dependencies(
        core=core,
        looks=looks,
        deliveries=deliveries,
        leases=leases,
        senders=tuple(_sender(core, deliveries, leases, looks, transport) for _ in range(settings.senders)),
        reminders=reminders,
    )


def _core(settings: NotifierSettings, clock: Clock, database: Database | None) -> Core:
    return Core(
        settings=settings,
        clock=clock,
        database=database or open_database(settings.database_url, name=SERVICE),
        outbox=Outbox(event_tables, producer=SERVICE, clock=clock),
        letters=LetterReader(settings.letter_key, settings.letter_signers),
        wake=threading.Event(),
    )


def _sender(core: Core, deliveries: Deliveries, leases: Leases, looks: Looks, transport: Transport) -> Sender:
    return Sender(
        database=core.database,
        deliveries=deliveries,
        leases=leases,
        transport=transport,
        letters=core.letters,
        looks=looks,
        clock=core.clock,
        mail_from=core.settings.mail_from,
        wake=core.wake,
    )


def _transport(core: Core) -> Transport:
    settings = core.settings
    if settings.keeps_mail_here:
        return Mailbox(core.database, core.clock)
    context = ssl.create_default_context(cafile=settings.smtp_ca or None)
    return SmtpTransport(settings.smtp_url, tls_context=context)
