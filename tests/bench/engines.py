"""The real engines for the bench: started if they do not run, with databases, mount and virtual host of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.bench.progress import say
from tests.support import engines


class NoEngines(RuntimeError):
    """The real engines can't be used; the text says why."""


def start() -> None:
    """Starts the engines that do not run. Raises NoEngines."""
    said = subprocess.run(
        [sys.executable, "-m", "deploy.dev.engines", "start"], capture_output=True, text=True, check=False
    )
    if said.returncode != 0:
        raise NoEngines(f"the engines do not start: {said.stderr.strip()[-500:]}")
    say("the real engines run")


@contextmanager
def databases(count: int) -> Iterator[list[str]]:
    """URLs (SQLAlchemy's) of fresh databases that go away afterwards. Raises NoEngines."""
    with _plainly(), ExitStack() as stack:
        yield [stack.enter_context(engines.fresh_postgres()) for _ in range(count)]


@contextmanager
def transit(folder: Path) -> Iterator[engines.TransitEngine]:
    """A transit mount with its identities. Raises NoEngines."""
    with _plainly(), engines.fresh_transit(folder) as made:
        yield made


@contextmanager
def vhost() -> Iterator[str]:
    """The amqps URL of an empty virtual host. Raises NoEngines."""
    with _plainly(), engines.fresh_vhost() as url:
        yield url


def libpq(url: str) -> str:
    """SQLAlchemy's URL as psycopg reads it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


@contextmanager
def _plainly() -> Iterator[None]:
    """The helpers are those of the tests, which skip or fail; here both are a fault with its reason."""
    try:
        yield
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        raise NoEngines(str(missing)) from None
