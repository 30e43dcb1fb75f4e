"""The operator's view of the dead letters: `python -m chassis.bus.dead_letters {list,look,replay,drop} <service> …`.

Uses the service's own settings (<SERVICE>_BUS_URL, certificates). Shows ids, types and times, never content. A replayed
event is handled once, also when newer events of the same aggregate were handled before it. A dropped one is gone: what
it told never happens in the service; each is logged with the reason that the operator gave.

Exit status: 0 done (list: none lies there); 1 not done; 2 wrong arguments; 3 list: some lie there; look, replay, drop:
none of those named does.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TextIO

import structlog

from chassis.bus.catalogue import SERVICES
from chassis.bus.operator import bus_of
from chassis.bus.port import Bus, BusUnavailable, DeadLetter
from chassis.commands import DONE, FOUND, NOT_DONE, add_check
from chassis.logging import configure_logging
from chassis.progress import at_work
from chassis.settings import SettingsError

log = structlog.get_logger("dead_letters")


def main(arguments: list[str] | None = None, *, out: TextIO | None = None) -> int:
    """The command line. Returns the exit status."""
    given = _parser().parse_args(arguments)
    stream = out or sys.stdout
    configure_logging(given.service, level="INFO")
    try:
        with at_work(f"{given.action} of {given.service}"):
            bus = bus_of(given.service)
            try:
                act: Callable[[Bus, argparse.Namespace, TextIO], int] = given.act
                return act(bus, given, stream)
            finally:
                bus.close()
    except (SettingsError, BusUnavailable) as error:
        print(f"The dead letters can't be reached: {error}", file=stream)
        return NOT_DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m chassis.bus.dead_letters",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True)
    for name, act, text in (
        ("list", _list, "one line per dead letter: id, type, why it lies there"),
        ("look", _look, "what is known of each, without its content"),
        ("replay", _replay, "give them back to the service (none named: all of the service)"),
        ("drop", _drop, "destroy them for good"),
    ):
        added = actions.add_parser(name, help=text, description=text)
        added.set_defaults(act=act)
        added.add_argument("service", choices=sorted(SERVICES))
        if name != "list":
            added.add_argument("event_ids", nargs="*", metavar="EVENT_ID")
        if name in ("replay", "drop"):
            add_check(added)
        if name == "drop":
            added.add_argument("--all", action="store_true", help="all of the service, also those without an id")
            added.add_argument("--reason", required=True, help="why, for the log; no personal data")
            added.add_argument("--yes", action="store_true", help="without it, it is only said what would go")
    return parser


def _list(bus: Bus, given: argparse.Namespace, out: TextIO) -> int:
    letters = _letters(bus, given.service, ())
    for letter in letters:
        print(_line(letter), file=out)
    print(f"{len(letters)} dead letter(s) of {given.service}", file=out)
    return FOUND if letters else DONE


def _look(bus: Bus, given: argparse.Namespace, out: TextIO) -> int:
    letters = _letters(bus, given.service, given.event_ids)
    for letter in letters:
        print(_line(letter), file=out)
        for name, value in letter.facts.items() or [("body", f"{letter.size} bytes that are no event")]:
            print(f"  {name:12} {value}", file=out)
    print(f"{len(letters)} dead letter(s) of {given.service}", file=out)
    return DONE if letters else FOUND


def _replay(bus: Bus, given: argparse.Namespace, out: TextIO) -> int:
    if given.check:
        letters = _letters(bus, given.service, given.event_ids)
        for letter in letters:
            print(_line(letter), file=out)
        print(f"{len(letters)} event(s) would be replayed", file=out)
        return DONE if letters or not given.event_ids else FOUND
    count = bus.replay(given.service, given.event_ids or None)
    print(f"{count} event(s) replayed", file=out)
    print(f"Next: `list {given.service}` in a minute; what comes back needs its cause mended first.", file=out)
    return DONE if count or not given.event_ids else FOUND


def _drop(bus: Bus, given: argparse.Namespace, out: TextIO) -> int:
    if bool(given.event_ids) == given.all:
        print("Not done: name the events, or give --all.", file=out)
        return NOT_DONE
    letters = _letters(bus, given.service, given.event_ids)
    if not letters:
        print("None of these lies in the dead letters.", file=out)
        return FOUND
    if given.check or not given.yes:
        for letter in letters:
            print(_line(letter), file=out)
        print(f"{len(letters)} would be destroyed for good. Once more with --yes does it.", file=out)
        return DONE if given.check else NOT_DONE
    # Before the act: what is gone without a trace would be worse than a line about what is still there.
    for letter in letters:
        log.warning("dead_letter.dropped", event_id=letter.event_id, type=letter.type, reason=given.reason)
    count = bus.drop(given.service, given.event_ids or None)
    print(f"{count} event(s) destroyed. Next: what they told has not happened; see to it by hand.", file=out)
    return DONE


def _letters(bus: Bus, service: str, event_ids: Sequence[str]) -> list[DeadLetter]:
    return [
        letter
        for letter in bus.dead_letters()
        if letter.service == service and (not event_ids or letter.event_id in event_ids)
    ]


def _line(letter: DeadLetter) -> str:
    return f"{letter.event_id or '(no id)'}  {letter.type or '(no type)'}  {letter.reason}"


if __name__ == "__main__":
    sys.exit(main())
