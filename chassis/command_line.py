"""The command line of a service whose commands take nothing more: `python -m services.NAME worker`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from chassis.bus import BusUnavailable
from chassis.logging import configure_logging
from chassis.settings import ServiceSettings, SettingsError, check_config, load
from chassis.telemetry import export_traces

S = TypeVar("S", bound=ServiceSettings)


def run_command(
    arguments: Sequence[str] | None,
    commands: Mapping[str, Callable[[S], int]],
    settings_class: type[S],
    *,
    service: str,
    description: str | None,
) -> int:
    """Runs the command that the arguments name, with the service's settings; its docstring is its help. Returns the
    exit code; what is wrong with the settings, or that the bus does not answer, is printed."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{service}", description=description)
    known = parser.add_subparsers(dest="command", required=True)
    for name, command in commands.items():
        known.add_parser(name, help=command.__doc__)
    known.add_parser("check-config", help="Prints every setting, secrets masked, and what is wrong.")
    chosen = parser.parse_args(arguments).command
    if chosen == "check-config":
        return check_config(settings_class)
    try:
        settings = load(settings_class)
        configure_logging(service, level=settings.log_level)
        export_traces(service)
        return commands[chosen](settings)
    except (SettingsError, BusUnavailable) as error:
        print(error, file=sys.stderr)
        return 1
