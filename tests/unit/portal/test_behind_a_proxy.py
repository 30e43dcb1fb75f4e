"""Case 07: behind one trusted proxy the client's own address is what is kept; without one nobody is believed."""

from pathlib import Path

import pytest

from tests.support.portal import PortalWorld
from tests.support.portal_people import GRACE, PASSWORD, with_account


@pytest.mark.parametrize(("hops", "kept"), [(1, "203.0.113.7"), (0, "127.0.0.1")])
def test_a_session_names_the_client_and_not_the_proxy(tmp_path: Path, hops: int, kept: str) -> None:
    world = PortalWorld(tmp_path, trusted_proxies=hops)
    with_account(world)
    headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7:4711"}
    world.client().post("/sign-in", data={"username": "grace", "password": PASSWORD}, headers=headers)
    (session,) = world.deps.accounts.sessions.list_for(GRACE.id)
    assert session.ip == kept
    world.close()
