"""Case 07: behind one trusted proxy everything that the CRM keeps or tells names the caller's own address; without one
nobody is believed."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from chassis.web.lockout import address_digest
from services.crm.access.auth.models import SignInAttemptRow
from tests.support.crm_paying import CrmHouse

CALLER, PROXY = "203.0.113.7", "127.0.0.1"
# What the caller's own program claims, and behind it what our proxy saw.
CLAIMED = f"198.51.100.1, {CALLER}:4711"


@pytest.mark.parametrize(("hops", "kept"), [(1, CALLER), (0, PROXY)])
def test_reveal_history_and_throttle_name_the_same_address(tmp_path: Path, hops: int, kept: str) -> None:
    house = CrmHouse(tmp_path, trusted_proxies=hops)
    payment_id = house.authorized()
    maya = house.browser(house.maya)
    maya.plain.environ_base["HTTP_X_FORWARDED_FOR"] = CLAIMED
    sent = maya.send(f"/payments/{payment_id}/code", {"request_key": "k1", "supplier_ready": True})
    assert sent.json is not None
    maya.send(f"/payments/{payment_id}/reveal", {"jwe": f"{sent.json['challenge_id']}:sealed"})
    (card,) = house.vault.cards.values()
    seen = {entry.action: entry.origin.ip for entry in card.entries}
    assert {seen["challenge.sent"], seen["card.revealed"]} == {kept}
    assert kept in maya.get(f"/payments/{payment_id}").text
    stranger = maya.app.test_client()
    _fail_to_sign_in(stranger)
    with house.deps.core.database.read() as session:
        counted = set(session.scalars(select(SignInAttemptRow.address_sha256)))
    for address in (CALLER, PROXY, "198.51.100.1"):
        assert (address_digest(f"address\0{address}") in counted) is (address == kept)
    house.deps.core.database.dispose()


def _fail_to_sign_in(stranger: FlaskClient) -> None:
    stranger.environ_base["HTTP_X_FORWARDED_FOR"] = CLAIMED
    found = re.search(r'name="csrf-token" content="([^"]+)"', stranger.get("/sign-in").text)
    assert found is not None
    typed = {"csrf_token": found[1], "email": "maya@harbour.example", "password": "not the password"}
    assert stranger.post("/sign-in", data=typed).status_code == 422
