"""O10: the report says what is kept and until when, and finds what a worker that stands still has left behind."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.vault.retention.report import GRACE, make_report
from tests.support.vault_kit import Kit, make_kit


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = make_kit(tmp_path)
    yield kit
    kit.vault.close()


def test_an_empty_vault_has_nothing_to_say(kit: Kit) -> None:
    report = make_report(kit.vault.core.database, kit.fake_clock)
    assert (report.cards.held, report.cvvs.held, report.overdue) == (0, 0, 0)
    assert list(report.lines())[-1] == "Nothing is overdue."


def test_it_counts_what_is_held_and_names_the_first_to_go(kit: Kit) -> None:
    kit.store()
    report = make_report(kit.vault.core.database, kit.fake_clock)
    assert (report.cards.held, report.cvvs.held) == (1, 1)
    assert report.cards.next_until is not None
    assert report.cvvs.next_until is not None
    assert report.cvvs.next_until < report.cards.next_until


def test_what_the_sweep_did_not_see_to_is_overdue_and_gone_after_it(kit: Kit) -> None:
    kit.store()
    first = make_report(kit.vault.core.database, kit.fake_clock).cards.next_until
    assert first is not None
    kit.fake_clock.advance(first - kit.fake_clock.now() + GRACE + timedelta(seconds=1))
    late = make_report(kit.vault.core.database, kit.fake_clock)
    assert (late.cards.overdue, late.cvvs.overdue) == (1, 1)
    assert "purge" in list(late.lines())[-1]
    kit.vault.sweep.run()
    assert make_report(kit.vault.core.database, kit.fake_clock).overdue == 0
