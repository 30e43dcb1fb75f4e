"""Each engine's leader is killed, stopped and cut off while payments are made: nothing acknowledged is lost.

The judge is the ledger of what callers were told. A payment that its client was told is authorized must be shown to the
agent, with the card that this client sent, and to one window only; a window that got no answer may ask again.
"""

import os
import time
from typing import Final

import pytest

from tests.chaos.cluster.city import City
from tests.chaos.cluster.ledger import Ledger, until
from tests.chaos.cluster.people import People
from tests.chaos.conftest import Say
from tests.support.cluster_members import Member

pytestmark = [pytest.mark.chaos, pytest.mark.enable_socket, pytest.mark.timeout(3600)]

ROUNDS: Final = int(os.environ.get("CHAOS_ROUNDS", "3"))
_SERVICE_SECONDS: Final = 180.0
_WHOLE_SECONDS: Final = 300.0
# Links at hand before each fault: more than are paid until the fault is over.
_LINKS: Final = 40


@pytest.mark.parametrize("kind", ["kill", "freeze", "cut"])
@pytest.mark.parametrize("engine", ["rabbitmq", "hcvault", "postgres"])
def test_a_lost_leader_takes_nothing_with_it(
    engine: str, kind: str, running_city: City, people: People, say: Say
) -> None:
    ledger = people.ledger
    for number in range(ROUNDS):
        people.ask_to_pay(_LINKS)
        begun = time.monotonic()
        people.work()
        try:
            ledger.wait_for_chain(begun, _SERVICE_SECONDS)
            say(f"{engine}, {kind}, round {number + 1} of {ROUNDS}: {_one_fault(running_city, engine, kind, ledger)}")
        finally:
            people.rest()
        _judge(ledger)
    say(f"so far {len(ledger.authorized)} authorizations acknowledged, {len(ledger.shown)} cards shown, none twice")


def _one_fault(city: City, engine: str, kind: str, ledger: Ledger) -> str:
    """Gives how long it took, in seconds, until the first payment that began after it went all the way."""
    cluster = city.clusters[engine]
    leader = cluster.leader()
    member = Member.of(city.stack.state, engine, leader)
    struck = time.monotonic()
    getattr(member, kind)()
    try:
        first = ledger.wait_for_chain(struck, _SERVICE_SECONDS)
    finally:
        {"freeze": member.thaw, "cut": member.mend}.get(kind, lambda: None)()
        # As an operator would: what ended is started, and a Vault node that does not know that it leads no more.
        cluster.start()
    until(cluster.answers, _WHOLE_SECONDS, f"three members of {engine}")
    whole = time.monotonic() - struck
    return (
        f"{leader} lost; authorized again after {first.authorized - struck:.1f} s, in the agent's alert after "
        f"{first.alerted - struck:.1f} s, shown after {first.shown - struck:.1f} s; all three back after {whole:.0f} s "
        f"(load {os.getloadavg()[0]:.1f})"
    )


def _judge(ledger: Ledger) -> None:
    assert not ledger.faults
    assert not ledger.not_shown(), "authorizations that were acknowledged and are lost, or cards that were burned"
    assert not ledger.shown_twice()
    assert not ledger.wrong()
