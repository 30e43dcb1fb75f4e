"""Challenges as a metric: what was asked for, what became of it, and nothing of yesterday's."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from services.vault.reveal.measure import measure_challenges
from tests.support.vault_kit import Kit, make_kit


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = make_kit(tmp_path)
    yield kit
    kit.vault.close()


def shown(kit: Kit, state: str) -> float | None:
    measure_challenges(kit.vault.core.database, kit.fake_clock)
    return REGISTRY.get_sample_value("wayvault_challenges", {"kind": "card_code", "state": state})


def test_codes_are_counted_by_what_became_of_them_for_a_day(kit: Kit) -> None:
    assert (shown(kit, "open"), shown(kit, "revealed")) == (0, 0)
    challenge, code = kit.request_reveal(kit.store())
    assert (shown(kit, "open"), shown(kit, "revealed")) == (1, 0)
    kit.confirm(kit.frame().reveal(challenge, code))
    assert (shown(kit, "open"), shown(kit, "revealed")) == (0, 1)
    kit.fake_clock.advance(timedelta(days=1, hours=1))
    assert (shown(kit, "open"), shown(kit, "revealed")) == (0, 0)
