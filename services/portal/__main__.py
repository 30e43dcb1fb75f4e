"""`python -m services.portal COMMAND`: the portal's processes and operator commands."""

import sys
from collections.abc import Callable, Sequence

from flask import Flask

from chassis.command_line import run_command
from chassis.health import READINESS
from chassis.lifecycle import give_way
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
    give_way()
    worker.run(bootstrap(settings))
    return 0


def migrate_database(settings: PortalSettings) -> int:
    """Brings the database to this version's form, and makes the queue, so that no event comes before it."""
    MIGRATIONS.upgrade(settings.database_url)
    worker.bind_queue(bootstrap(settings))
    print("The portal's database and queue are up to date. Next: start its processes.")
    return 0


COMMANDS: dict[str, Callable[[PortalSettings], int]] = {"web": web, "worker": run_worker, "migrate": migrate_database}


def main(arguments: Sequence[str] | None = None) -> int:
    return run_command(arguments, COMMANDS, PortalSettings, service=SERVICE, migrations=MIGRATIONS, description=__doc__)


if __name__ == "__main__":
    sys.exit(main())
