"""What a service still has to send and to read: `python -m chassis.bus.backlog <service> [--wait seconds]`.

Uses the service's own settings (<SERVICE>_DATABASE_URL, <SERVICE>_BUS_URL, certificates). With --wait it returns once
there is nothing left: before an upgrade, a backup, or the first look at data that were just imported. Events that are
parked for another attempt are not waited for.

Exit status: 0 nothing is left; 1 it can't be said; 2 wrong arguments; 3 something is left.
"""

import argparse
import sys
import time
from typing import TextIO

from sqlalchemy import MetaData, func, select
from sqlalchemy.exc import SQLAlchemyError

from chassis.bus.catalogue import SERVICES
from chassis.bus.operator import bus_of, database_of
from chassis.bus.port import Bus, BusUnavailable
from chassis.bus.tables import EventTables
from chassis.commands import DONE, FOUND, NOT_DONE
from chassis.db import Database
from chassis.progress import at_work
from chassis.settings import SettingsError

_POLL_SECONDS = 0.25


def main(arguments: list[str] | None = None, *, out: TextIO | None = None) -> int:
    """The command line. Returns the exit status."""
    stream = out or sys.stdout
    parser = argparse.ArgumentParser(
        prog="python -m chassis.bus.backlog", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("service", choices=sorted(SERVICES))
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="until nothing is left")
    given = parser.parse_args(arguments)
    try:
        with at_work(f"events of {given.service}"):
            database, bus = database_of(given.service), bus_of(given.service)
            try:
                return _watch(database, bus, given.service, given.wait, stream)
            finally:
                bus.close()
    except (SettingsError, BusUnavailable) as error:
        print(f"The events of {given.service} can't be counted: {error}", file=stream)
    except SQLAlchemyError as error:  # its text would quote the statement
        print(f"The events of {given.service} can't be counted: {type(error).__name__}", file=stream)
    return NOT_DONE


def _watch(database: Database, bus: Bus, service: str, seconds: float, out: TextIO) -> int:
    ends = time.monotonic() + seconds
    outbox, said = EventTables.attach(MetaData()).outbox, ""
    unsent = select(func.count()).select_from(outbox).where(outbox.c.sent_at.is_(None))
    while True:
        with database.read() as session:
            to_tell = session.execute(unsent).scalar_one()
        to_read = bus.waiting(service)
        line = f"{service}: {to_tell} event(s) to tell, {to_read} to read"
        if line != said:
            print(line, file=out, flush=True)
            said = line
        if not to_tell and not to_read:
            return DONE
        if time.monotonic() >= ends:
            return FOUND
        time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
