"""What every command has in common: how it ends, what its help says, and that it can be asked what it would do."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from chassis.db.migrate import Migrations
from chassis.progress import at_work

DONE: Final = 0
NOT_DONE: Final = 1
# 2 is argparse's, for wrong arguments.
FOUND: Final = 3
EXIT_STATUSES: Final = (
    "Exit status: 0 done; 1 not done, the message says why; 2 wrong arguments; 3 done, and something was found."
)


class NotDone(Exception):
    """What stood in a command's way; the message is for the person who typed it."""


@contextmanager
def on_the_database(what: str, *, asks: bool = False) -> Iterator[None]:
    """Around a command that uses a service's database: says that it takes long, unless it `asks` a person something.

    Raises NotDone for a fault of the database.
    """
    try:
        with nullcontext() if asks else at_work(what):
            yield
    except SQLAlchemyError as fault:  # its text would quote the statement
        raise NotDone(f"Not done: the database can't be used ({type(fault).__name__}). Was it migrated?") from fault


def add_command(commands: Any, name: str, help_text: str | None) -> argparse.ArgumentParser:
    """Adds a command, whose help says how it ends, to `commands` (sub-parsers, whose type argparse keeps private)."""
    added: argparse.ArgumentParser = commands.add_parser(
        name, help=help_text, description=help_text, epilog=EXIT_STATUSES
    )
    return added


def add_check(parser: argparse.ArgumentParser) -> None:
    """Lets a command be asked what it would do."""
    parser.add_argument(
        "--check", action="store_true", help="change nothing; say what would be done, and whether it can"
    )


def would_migrate(migrations: Migrations, database_url: str) -> int:
    """Says which revisions `migrate` would run. Returns the exit status; raises MigrationError."""
    waiting = migrations.waiting(database_url)
    for revision, purpose in waiting:
        print(f"{revision}: {purpose}")
    print(
        f"{migrations.service}: {len(waiting)} revision(s) would run." if waiting else f"{migrations.service}: nothing."
    )
    print("Next: `python -m deploy.upgrade --check` says whether old processes may go on meanwhile.")
    return DONE
