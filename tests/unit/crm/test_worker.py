"""What the CRM's worker does every few seconds."""

from contextlib import closing
from pathlib import Path

from services.crm.worker import timers
from tests.support.crm_site import CrmSite
from tests.support.rounds import held_up

_OFTEN = ("card removals", "imports", "charges", "standing orders", "refunds", "cards by phone")


def test_a_round_with_nothing_to_do_needs_no_turn_to_write(tmp_path: Path) -> None:
    with closing(CrmSite(tmp_path)) as site:
        assert held_up(timers(site.deps), _OFTEN, site.database) == set()
