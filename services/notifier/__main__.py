"""`python -m services.notifier COMMAND`: the notifier's processes and operator commands."""

import argparse
import sys
from collections.abc import Callable, Sequence

from chassis.bus import BusUnavailable
from chassis.logging import configure_logging
from chassis.settings import SettingsError, check_config, load
from chassis.telemetry import export_traces
from chassis.web.server import serve
from services.notifier import worker
from services.notifier.app import create_app
from services.notifier.bootstrap import SERVICE, bootstrap
from services.notifier.config import NotifierSettings
from services.notifier.migrations import MIGRATIONS


def run_worker(settings: NotifierSettings) -> int:
    """Consumes events, sends mail, and tells how it went."""
    worker.run(bootstrap(settings))
    return 0


def web(settings: NotifierSettings) -> int:
    """The mailbox page; only where mail is kept on this machine."""
    if not settings.keeps_mail_here:
        print("There is no mailbox to show: NOTIFIER_SMTP_URL sends mail to a server.", file=sys.stderr)
        return 1
    serve(lambda: create_app(settings), settings.listen, 1, 4, metrics=settings.web_metrics_listen)
    return 0


def migrate_database(settings: NotifierSettings) -> int:
    """Brings the database to this version's form, and makes the queue, so that no event comes before it."""
    MIGRATIONS.upgrade(settings.database_url)
    worker.bind_queue(bootstrap(settings))
    print("The notifier's database and queue are up to date.")
    return 0


COMMANDS: dict[str, Callable[[NotifierSettings], int]] = {"worker": run_worker, "web": web, "migrate": migrate_database}


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
    export_traces(SERVICE)
    try:
        return COMMANDS[chosen](settings)
    except BusUnavailable as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
