"""The operator's view of the dead letters: `python -m chassis.bus.dead_letters {list,replay} <service> [event id …]`.

Uses the service's own settings (<SERVICE>_BUS_URL, certificates). Shows no content. A replayed event is handled once,
also when newer events of the same aggregate were handled before it.
"""

import argparse
import sys
from typing import TextIO

from chassis.bus.catalogue import SERVICES
from chassis.bus.operator import bus_of
from chassis.bus.port import Bus, BusUnavailable
from chassis.settings import SettingsError


def show(bus: Bus, service: str, out: TextIO) -> None:
    """Prints one line per dead letter of the service: event id, type, why it lies there."""
    letters = [letter for letter in bus.dead_letters() if letter.service == service]
    for letter in letters:
        print(f"{letter.event_id or '(no id)'}  {letter.type or '(no type)'}  {letter.reason}", file=out)
    print(f"{len(letters)} dead letter(s) of {service}", file=out)


def main(arguments: list[str] | None = None, *, out: TextIO | None = None) -> int:
    """The command line. Returns the exit status."""
    stream = out or sys.stdout
    parser = argparse.ArgumentParser(prog="python -m chassis.bus.dead_letters", description="Dead letters of a service")
    parser.add_argument("action", choices=["list", "replay"])
    parser.add_argument("service", choices=sorted(SERVICES))
    parser.add_argument("event_ids", nargs="*", help="only these (replay; default: all of the service)")
    given = parser.parse_args(arguments)
    try:
        bus = bus_of(given.service)
        try:
            if given.action == "list":
                show(bus, given.service, stream)
            else:
                print(f"{bus.replay(given.service, given.event_ids or None)} event(s) replayed", file=stream)
        finally:
            bus.close()
    except (SettingsError, BusUnavailable) as error:
        print(f"The dead letters can't be reached: {error}", file=stream)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
