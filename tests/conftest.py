"""What all tests share: no network for unit tests, the real engines for those that ask for them."""

import gc
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog

from tests.support import engines
from tests.support.compiled import keep_compiled
from tests.support.thorough import examples

# A card number in a log line fails the run (chassis.logging).
os.environ.setdefault("WAYVAULT_TRIPWIRE", "fail")

keep_compiled()

# How long one example takes says more of what else the machine does than of the code. At one's desk a law is tried
# often, and on fewer examples; the CI, which demands the engines, takes Hypothesis' own number.
hypothesis.settings.register_profile("here", deadline=None, max_examples=examples(100))
hypothesis.settings.load_profile("here")

# Where there is room in memory, what tests write goes there: a database commit then waits for no disk.
_MEMORY = Path("/dev/shm")
_ROOM = 4 * 1024**3
if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

_UNIT = Path(__file__).parent / "unit"
_ENGINE_FIXTURES = frozenset({"postgres_url", "rabbit_url", "vault_transit"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_UNIT) and not item.get_closest_marker("enable_socket"):
            item.add_marker(pytest.mark.disable_socket)
        if _ENGINE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.engines)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by their place: what a file was made at may stand in them, and then each process that tests run
    side by side in would name its tests otherwise."""
    return argname if isinstance(val, bytes | bytearray) else None


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    without = [report for report in skipped if engines.ABSENT in str(getattr(report, "longrepr", ""))]
    if without:
        terminalreporter.write_line(
            f"{len(without)} tests need real PostgreSQL, RabbitMQ or Vault and were skipped. "
            "`make engines` starts them; ENGINES=required makes a missing one a failure."
        )


@pytest.fixture(autouse=True)
def _log_pipeline_ends_with_its_test() -> Iterator[None]:
    """A test that configures logging binds it to its own captured stream, which is closed for the next one."""
    yield
    root = logging.getLogger()
    root.handlers[:] = [
        handler for handler in root.handlers if not isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    ]


@pytest.fixture(autouse=True)
def _environment_as_before() -> Iterator[None]:
    """An operator's command fills in what the environment does not say, for the services that it runs."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A fresh, empty PostgreSQL database: a SQLAlchemy URL."""
    with engines.fresh_postgres() as url:
        yield url


@pytest.fixture
def rabbit_url() -> Iterator[str]:
    """A fresh, empty virtual host of RabbitMQ: an amqps URL."""
    with engines.fresh_vhost() as url:
        yield url


@pytest.fixture(scope="session")
def vault_transit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engines.TransitEngine]:
    """A transit mount of this session's own in the running HashiCorp Vault."""
    with engines.fresh_transit(tmp_path_factory.mktemp("transit")) as engine:
        yield engine
