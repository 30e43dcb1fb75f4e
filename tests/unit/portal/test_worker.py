"""What the portal's worker does each second."""

from services.portal.worker import timers
from tests.support.portal import PortalWorld
from tests.support.rounds import held_up

_EACH_SECOND = ("ends of visits", "password resets")


def test_a_round_with_nothing_to_do_needs_no_turn_to_write(world: PortalWorld) -> None:
    assert held_up(timers(world.deps), _EACH_SECOND, world.deps.core.database) == set()
