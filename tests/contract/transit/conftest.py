"""Both engines behind one fixture: the embedded keyring, and a real Vault where there is one."""

from pathlib import Path

import pytest

from chassis.clock import SystemClock
from services.vault.transit.service import Transit, open_transit


@pytest.fixture(params=["embedded", "vault"])
def transit(request: pytest.FixtureRequest, tmp_path: Path) -> Transit:
    if request.param == "embedded":
        return open_transit(f"embedded:////{tmp_path}/keyring.json", clock=SystemClock())
    engine = request.getfixturevalue("vault_transit")
    return open_transit(
        engine.url, clock=SystemClock(), auth_dir=Path(engine.auth_dir), mount=engine.mount, ca=Path(engine.ca)
    )
