"""`python -m services.portal COMMAND`: the portal's processes and operator commands."""

import argparse
import sys
from collections.abc import Callable, Sequence

from flask import Flask

from chassis.bus import BusUnavailable
from chassis.health import READINESS
from chassis.logging import configure_logging
from chassis.settings import SettingsError, check_config, load
from chassis.telemetry import export_traces
from chassis.web.server import serve
from services.portal import worker
from services.portal.app import create_app
from services.portal.bootstrap import SERVICE, bootstrap
from services.portal.config import PortalSettings
from services.portal.health import readiness
from services.portal.migrations import MIGRATIONS


def web(settings: PortalSettings) -> int:
    """Serves the clients' pages."""
    settings.require_secret_key()
    settings.require_ready()

    def site() -> Flask:
        deps = bootstrap(settings)
        app = create_app(deps)
        app.extensions[READINESS] = readiness(settings, deps.core.database)
        return app

    serve(
        site,
        settings.listen,
        workers=settings.web_processes,
        threads=settings.web_threads,
        metrics=settings.web_metrics_listen,
    )
    return 0


def run_worker(settings: PortalSettings) -> int:
    """Tells what clients did, and takes in what the CRM and the notifier tell."""
    worker.run(bootstrap(settings))
    return 0


def migrate_database(settings: PortalSettings) -> int:
    """Brings the database to this version's form, and makes the queue, so that no event comes before it."""
    MIGRATIONS.upgrade(settings.database_url)
    worker.bind_queue(bootstrap(settings))
    print("The portal's database and queue are up to date.")
    return 0


COMMANDS: dict[str, Callable[[PortalSettings], int]] = {"web": web, "worker": run_worker, "migrate": migrate_database}


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
        export_traces(SERVICE)
        return COMMANDS[chosen](settings)
    except (SettingsError, BusUnavailable) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
