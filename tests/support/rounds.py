"""One round of a worker's timers, while somebody else holds the one turn to write that SQLite has."""

import sqlite3
import threading
from collections.abc import Sequence

from structlog.testing import capture_logs

from chassis.db import Database
from chassis.lifecycle import Loop


class _OneRound(threading.Event):
    """Stops a loop at its first pause."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return super().wait(timeout)


def held_up(timers: Sequence[tuple[str, Loop]], names: Sequence[str], database: Database) -> set[str]:
    """Those of the named timers that could not do a round because another process was writing to the database."""
    loops = dict(timers)
    assert database.dialect == "sqlite"
    writer = sqlite3.connect(str(database.url.database), isolation_level=None)
    try:
        writer.execute("BEGIN IMMEDIATE")
        with capture_logs() as written:
            for name in names:
                loops[name](_OneRound())
    finally:
        writer.close()
    assert all(entry["event"] == "timer.waiting" for entry in written), written
    return {entry["timer"] for entry in written}
