"""A process that dies by SIGKILL at a chosen step of its work on the vault."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import event

from chassis.db import open_database
from tests.support.clock import FakeClock
from tests.support.vault_kit import Kit, open_kit

_CONTEXT = multiprocessing.get_context("fork")


class Fate:
    """Counts steps (statements, commits, calls of transit entered and left), and kills the process before one."""

    def __init__(self, at: int) -> None:
        self._left = at

    def step(self, *_: Any, **__: Any) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, kit: Kit) -> None:
        engine = kit.vault.core.database.engine
        for moment in ("before_cursor_execute", "commit", "checkin"):
            event.listen(engine, moment, self.step)
        # What is sent together (chassis.db.together) passes SQLAlchemy by: each of those writes is a step too.
        for owner, name in ((kit.transit, "encrypt_all"), (kit.transit, "decrypt"), (psycopg.Cursor, "executemany")):
            setattr(owner, name, self._around(getattr(owner, name)))

    def _around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def fateful(*arguments: Any, **options: Any) -> Any:
            self.step()
            answer = call(*arguments, **options)
            self.step()
            return answer

        return fateful


def another_process(folder: Path, url: str, *, later: timedelta = timedelta(0)) -> Kit:
    """The same vault as a process of its own opens it, `later` after the tests' moment."""
    clock = FakeClock()
    clock.advance(later)
    return open_kit(open_database(url, name="vault-test", pool_size=5), folder, clock=clock)


def run_until_killed(folder: Path, url: str, kill_at: int, act: Callable[[Kit], str]) -> tuple[bool, str]:
    """Runs `act` in a process that dies before its step `kill_at`. Whether it lived, and what came out of it."""
    reader, writer = _CONTEXT.Pipe(duplex=False)

    def live() -> None:
        kit = another_process(folder, url)
        Fate(kill_at).watch(kit)
        writer.send(act(kit))
        os._exit(0)

    process = _CONTEXT.Process(target=live)
    process.start()
    writer.close()
    process.join(60)
    lived = process.exitcode == 0
    assert lived or process.exitcode == -signal.SIGKILL, f"it ended with {process.exitcode}"
    try:
        answer = reader.recv()
    except EOFError:
        answer = ""
    reader.close()
    return lived, answer
