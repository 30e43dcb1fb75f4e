"""`python -m services.notifier COMMAND`: the notifier's processes and operator commands."""

import sys
from collections.abc import Callable, Sequence

from chassis.command_line import run_command
from chassis.lifecycle import give_way
from chassis.web.server import serve
from services.notifier import worker
from services.notifier.app import create_app
from services.notifier.bootstrap import SERVICE, bootstrap
from services.notifier.config import NotifierSettings
from services.notifier.migrations import MIGRATIONS


def run_worker(settings: NotifierSettings) -> int:
    """Consumes events, sends mail, and tells how it went."""
    give_way()
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
    print("The notifier's database and queue are up to date. Next: start its processes.")
    return 0


COMMANDS: dict[str, Callable[[NotifierSettings], int]] = {"worker": run_worker, "web": web, "migrate": migrate_database}


def main(arguments: Sequence[str] | None = None) -> int:
    return run_command(
        arguments, COMMANDS, NotifierSettings, service=SERVICE, migrations=MIGRATIONS, description=__doc__
    )


if __name__ == "__main__":
    sys.exit(main())
