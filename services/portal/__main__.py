"""`python -m services.portal COMMAND`: the portal's processes and operator commands."""

import argparse
import sys
from collections.abc import Callable, Sequence

from flask import Flask

from chassis.bus import BusUnavailable, Consumer, Relay, open_bus
from chassis.db import open_database
from chassis.health import READINESS, serve_status
from chassis.lifecycle import every, run_until_stopped
from chassis.logging import configure_logging
from chassis.settings import SettingsError, check_config, load
from chassis.web.drafts import Drafts
from chassis.web.server import serve
from services.portal.app import create_app
from services.portal.bootstrap import SERVICE, bootstrap, tls_files
from services.portal.config import PortalSettings
from services.portal.health import readiness
from services.portal.migrations import MIGRATIONS
from services.portal.models import event_tables
from services.portal.orm import drafts

_HOUSEKEEPING_SECONDS = 600.0
_RESETS_SECONDS = 1.0


def web(settings: PortalSettings) -> int:
    """Serves the clients' pages."""
    settings.require_secret_key()
    settings.require_ready()

    def site() -> Flask:
        deps = bootstrap(settings)
        app = create_app(deps)
        app.extensions[READINESS] = readiness(settings, deps.database)
        return app

    serve(
        site,
        settings.listen,
        workers=settings.web_processes,
        threads=settings.web_threads,
        metrics=settings.web_metrics_listen,
    )
    return 0


def worker(settings: PortalSettings) -> int:
    """Tells what clients did, and takes in what the CRM and the notifier tell."""
    deps = bootstrap(settings)
    bus = open_bus(settings.bus_url, service=SERVICE, tls=tls_files(settings))
    consumer = Consumer(deps.database, event_tables, bus, SERVICE, deps.handlers, deps.clock)
    # The relay's waiting never holds a connection that the consumer needs.
    relay = Relay(open_database(settings.database_url, name="portal-relay"), event_tables, bus)
    kept = Drafts(deps.database, drafts, deps.clock, secret_key=settings.require_secret_key())
    serve_status(settings.metrics_listen, readiness(settings, deps.database, bus))
    run_until_stopped(
        [
            ("relay", relay.run),
            ("consumer", consumer.run),
            ("printing", deps.printing.run),
            ("password resets", every(_RESETS_SECONDS, deps.accounts.mail_resets, "password resets")),
            ("sign-in housekeeping", every(_HOUSEKEEPING_SECONDS, deps.accounts.sweep, "sign-in housekeeping")),
            ("throttle housekeeping", every(_HOUSEKEEPING_SECONDS, deps.throttle.sweep, "throttle housekeeping")),
            ("draft housekeeping", every(_HOUSEKEEPING_SECONDS, kept.sweep, "draft housekeeping")),
            ("session housekeeping", every(_HOUSEKEEPING_SECONDS, deps.sessions.sweep, "session housekeeping")),
        ]
    )
    return 0


def migrate_database(settings: PortalSettings) -> int:
    """Brings the database to this version's form, and makes the queue, so that no event comes before it."""
    MIGRATIONS.upgrade(settings.database_url)
    deps = bootstrap(settings)
    bus = open_bus(settings.bus_url, service=SERVICE, tls=tls_files(settings))
    bus.bind(SERVICE, deps.handlers.patterns())
    bus.close()
    print("The portal's database and queue are up to date.")
    return 0


COMMANDS: dict[str, Callable[[PortalSettings], int]] = {"web": web, "worker": worker, "migrate": migrate_database}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m services.portal", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.__doc__)
    commands.add_parser("check-config", help="Prints every setting, secrets masked, and what is wrong.")
    chosen = parser.parse_args(arguments).command
    if chosen == "check-config":
        return check_config(PortalSettings)
    try:
        settings = load(PortalSettings)
        configure_logging(SERVICE, level=settings.log_level)
        return COMMANDS[chosen](settings)
    except (SettingsError, BusUnavailable) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
