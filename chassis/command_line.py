"""The command line of a service whose commands take nothing more: `python -m services.NAME worker`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from chassis.bus import BusUnavailable
from chassis.commands import (
    EXIT_STATUSES,
    NOT_DONE,
    NotDone,
    add_check,
    add_command,
    on_the_database,
    would_migrate,
)
from chassis.db.migrate import MigrationError, Migrations
from chassis.logging import configure_logging
from chassis.settings import ServiceSettings, SettingsError, check_config, load
from chassis.telemetry import export_traces

S = TypeVar("S", bound=ServiceSettings)

# Of every service: what runs until it is told to stop, and tells of itself in its log.
_PROCESSES: Final = ("web", "worker")
_MIGRATE: Final = "migrate"


def run_command(
    arguments: Sequence[str] | None,
    commands: Mapping[str, Callable[[S], int]],
    settings_class: type[S],
    *,
    service: str,
    migrations: Migrations,
    description: str | None,
) -> int:
    """Runs the command that the arguments name, with the service's settings; its docstring is its help. Returns the
    exit status; what is wrong with the settings, or that the bus does not answer, is printed."""
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{service}", description=description, epilog=EXIT_STATUSES
    )
    known = parser.add_subparsers(dest="command", required=True)
    for name, command in commands.items():
        added = add_command(known, name, command.__doc__)
        if name == _MIGRATE:
            add_check(added)
    add_command(known, "check-config", "Prints every setting, secrets masked, and what is wrong.")
    given = parser.parse_args(arguments)
    chosen = given.command
    if chosen == "check-config":
        return check_config(settings_class)
    try:
        settings = load(settings_class)
        if chosen in _PROCESSES:
            configure_logging(service, level=settings.log_level)
            export_traces(service)
            return commands[chosen](settings)
        # A command that a person typed answers in plain words; only what goes wrong is logged beside them.
        configure_logging(service, level="WARNING")
        with on_the_database(f"{service} {chosen}"):
            if chosen == _MIGRATE and given.check:
                return would_migrate(migrations, settings.database_url)
            return commands[chosen](settings)
    except (SettingsError, BusUnavailable, MigrationError, NotDone) as error:
        print(error, file=sys.stderr)
        return NOT_DONE
