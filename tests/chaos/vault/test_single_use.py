"""One grant, one recipient: a thousand redeems at once, a hundred rounds, one and four vault processes."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chassis import errors
from tests.chaos.vault.fate import another_process
from tests.support.vault_kit import Kit, make_kit

pytestmark = [pytest.mark.chaos, pytest.mark.enable_socket, pytest.mark.timeout(3600)]
ROUNDS = int(os.environ.get("CHAOS_ROUNDS", "100"))
REDEEMS = 1000
# At work in one process at a time, as in a server; the others queue up behind them.
_THREADS = 15
_CONTEXT = multiprocessing.get_context("fork")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        make_kit(tmp_path).vault.close()
        return f"sqlite:///{tmp_path}/vault.db"
    url: str = request.getfixturevalue("postgres_url")
    make_kit(tmp_path, database_url=url).vault.close()
    return url


def redeem_for_ever(folder: Path, url: str, share: int, barrier: Any, pipe: Any) -> None:
    """Runs in a process: for each link from the pipe, its share of the redeems; answers how many were shown it."""
    kit = another_process(folder, url)

    with ThreadPoolExecutor(_THREADS) as pool:
        while (link := pipe.recv()) is not None:
            barrier.wait()
            pipe.send(sum(pool.map(lambda _, token=link: _shown(kit, token), range(share))))
    kit.vault.close()
    os._exit(0)


def _shown(kit: Kit, link: str) -> int:
    try:
        kit.redeem(kit.frame().cvv_redeem(link))
    except (errors.LinkUsed, errors.Busy):
        return 0
    return 1


@pytest.fixture(params=[1, 4])
def crew(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> Iterator[list[Any]]:
    count: int = request.param
    barrier = _CONTEXT.Barrier(count)
    pipes = []
    for _ in range(count):
        ours, theirs = _CONTEXT.Pipe()
        _CONTEXT.Process(
            target=redeem_for_ever, args=(tmp_path, url, REDEEMS // count, barrier, theirs), daemon=True
        ).start()
        theirs.close()  # so that a process that died is noticed
        pipes.append(ours)
    yield pipes
    for pipe in pipes:
        pipe.send(None)


def test_of_a_thousand_redeems_at_once_exactly_one_is_shown_the_cvv(url: str, crew: list[Any], tmp_path: Path) -> None:
    kit = another_process(tmp_path, url)
    kit.cvv_link(kit.store("payment"))
    # Tests before this one in the same run may have left some.
    threads = threading.active_count()
    for number in range(ROUNDS):
        link = kit.cvv_link(kit.store(f"payment_{number}"))
        for pipe in crew:
            pipe.send(link)
        assert sum(pipe.recv() for pipe in crew) == 1, f"round {number}"
        assert threading.active_count() <= threads, f"round {number} left threads behind"
    kit.vault.close()
