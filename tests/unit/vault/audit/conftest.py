from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from tests.support.vault import VaultRooms, vault_rooms


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def rooms(tmp_path: Path, clock: FakeClock) -> Iterator[VaultRooms]:
    with vault_rooms(tmp_path, clock) as rooms:
        yield rooms
