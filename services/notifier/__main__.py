"""`python -m services.notifier COMMAND`: the notifier's processes and operator commands."""

import argparse
import sys
from collections.abc import Callable, Sequence

from chassis.bus import Bus, BusUnavailable, Consumer, Relay, open_bus
from chassis.db import open_database
from chassis.health import serve_status
from chassis.lifecycle import every, run_until_stopped
from chassis.logging import configure_logging
from chassis.rpc.tls import TlsFiles
from chassis.settings import SettingsError, check_config, load
from chassis.web.server import serve
from services.notifier.bootstrap import build, mailbox_app
from services.notifier.config import NotifierSettings
from services.notifier.deliveries.measure import measure_deliveries
from services.notifier.health import readiness
from services.notifier.migrations import MIGRATIONS
from services.notifier.orm import event_tables

SERVICE = "notifier"
REMINDERS_SECONDS = 15.0
MEASURE_SECONDS = 15.0


def worker(settings: NotifierSettings) -> int:
    """Consumes events, sends mail, and tells how it went."""
    notifier = build(settings)
    bus = _bus(settings)
    consumer = Consumer(notifier.database, event_tables, bus, SERVICE, notifier.handlers, notifier.clock)
    # The outbox gets a database handle of its own, so that its waiting never holds a sender's connection.
    relay = Relay(open_database(settings.database_url, name="notifier-relay"), event_tables, bus)
    senders = [(f"sender {number}", sender.run) for number, sender in enumerate(notifier.senders, start=1)]
    serve_status(settings.metrics_listen, readiness(notifier.database, bus))
    reminders = every(REMINDERS_SECONDS, notifier.reminders.run_due, "reminders")
    measure = every(MEASURE_SECONDS, lambda: measure_deliveries(notifier.database, notifier.clock), "measure")
    run_until_stopped(
        [("relay", relay.run), ("consumer", consumer.run), ("reminders", reminders), ("measure", measure), *senders]
    )
    return 0


def web(settings: NotifierSettings) -> int:
    """The mailbox page; only where mail is kept on this machine."""
    if not settings.keeps_mail_here:
        print("There is no mailbox to show: NOTIFIER_SMTP_URL sends mail to a server.", file=sys.stderr)
        return 1
    serve(lambda: mailbox_app(settings), settings.listen, 1, 4, metrics=settings.web_metrics_listen)
    return 0


def migrate_database(settings: NotifierSettings) -> int:
    """Brings the database to this version's form, and makes the queue, so that no event comes before it."""
    MIGRATIONS.upgrade(settings.database_url)
    notifier = build(settings)
    bus = _bus(settings)
    bus.bind(SERVICE, notifier.handlers.patterns())
    bus.close()
    print("The notifier's database and queue are up to date.")
    return 0


def _bus(settings: NotifierSettings) -> Bus:
    tls = TlsFiles(ca=settings.tls_ca, cert=settings.tls_cert, key=settings.tls_key)
    return open_bus(settings.bus_url, service=SERVICE, tls=tls)


COMMANDS: dict[str, Callable[[NotifierSettings], int]] = {"worker": worker, "web": web, "migrate": migrate_database}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m services.notifier", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.__doc__)
    commands.add_parser("check-config", help="Prints every setting, secrets masked, and what is wrong.")
    chosen = parser.parse_args(arguments).command
    if chosen == "check-config":
        return check_config(NotifierSettings)
    try:
        settings = load(NotifierSettings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    configure_logging(SERVICE, level=settings.log_level)
    try:
        return COMMANDS[chosen](settings)
    except BusUnavailable as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
