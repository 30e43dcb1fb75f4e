"""What only a real Vault can show: its identities, and its going away."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from chassis.clock import SystemClock
from services.vault.transit.service import (
    Context,
    KeyKeeper,
    KeyName,
    Transit,
    TransitDenied,
    TransitUnavailable,
    context_of,
    open_transit,
)

CONTEXT: Context = context_of("card", "card_a", "agency_1")


@pytest.fixture
def transit(vault_transit: Any) -> Transit:  # Any: OPS's fixture
    return _open(vault_transit, Path(vault_transit.auth_dir))


def _open(engine: Any, auth_dir: Path, url: str = "") -> Transit:
    return open_transit(
        url or engine.url, clock=SystemClock(), auth_dir=auth_dir, mount=engine.mount, ca=Path(engine.ca)
    )


def test_each_identity_may_do_its_own_work_only(transit: Transit) -> None:
    cipher = transit.intake.encrypt(KeyName.CARD, b"x", CONTEXT)

    denied: list[Callable[[], object]] = [
        lambda: cast("Any", transit.intake).decrypt(KeyName.CARD, cipher, CONTEXT),
        lambda: cast("Any", transit.intake).rotate(KeyName.CARD),
        lambda: cast("Any", transit.reveal).encrypt(KeyName.CARD, b"x", CONTEXT),
        lambda: cast("Any", transit.reveal).rewrap(KeyName.CARD, [(cipher, CONTEXT)]),
        lambda: cast("Any", transit.reveal).info(KeyName.CARD),
        lambda: cast("Any", transit.rotation).decrypt(KeyName.CARD, cipher, CONTEXT),
        lambda: cast("Any", transit.rotation).encrypt(KeyName.CARD, b"x", CONTEXT),
        lambda: transit.sealing.decrypt(KeyName.CARD, cipher, CONTEXT),
        lambda: transit.intake.encrypt(KeyName.SEALING, b"x", CONTEXT),
    ]
    for call in denied:
        with pytest.raises(TransitDenied):
            call()


def test_a_token_that_was_revoked_is_replaced_by_a_new_login(transit: Transit) -> None:
    cipher = transit.intake.encrypt(KeyName.CARD, b"x", CONTEXT)
    session = cast("Any", transit.reveal)._session
    assert transit.reveal.decrypt(KeyName.CARD, cipher, CONTEXT) == b"x"
    revoked = session._token = "hvs.revoked"

    assert transit.reveal.decrypt(KeyName.CARD, cipher, CONTEXT) == b"x"
    assert session._token != revoked


def test_a_token_past_half_its_life_is_renewed_and_kept(transit: Transit) -> None:
    cipher = transit.intake.encrypt(KeyName.CARD, b"x", CONTEXT)
    session = cast("Any", transit.intake)._session
    token, session._renew_at = session._token, 0.0

    transit.intake.encrypt(KeyName.CARD, b"x", CONTEXT)

    assert session._token == token
    assert session._renew_at > 0.0
    assert cipher.version >= 1


def test_wrong_credentials_are_denied_and_missing_ones_too(vault_transit: Any, tmp_path: Path) -> None:
    (tmp_path / "intake.json").write_text('{"role_id": "nobody", "secret_id": "nothing"}')
    transit = _open(vault_transit, tmp_path)

    for encryptor in (transit.intake, transit.sealing):
        with pytest.raises(TransitDenied):
            encryptor.encrypt(KeyName.CARD, b"x", CONTEXT)


def test_a_server_whose_certificate_another_authority_signed_is_not_talked_to(
    vault_transit: Any, tmp_path: Path
) -> None:
    transit = open_transit(vault_transit.url, clock=SystemClock(), auth_dir=Path(vault_transit.auth_dir))

    with pytest.raises(TransitUnavailable):
        transit.intake.encrypt(KeyName.CARD, b"x", CONTEXT)


def test_the_keys_are_as_pci_dss_3_6_wants_them(vault_transit: Any, transit: Transit) -> None:
    keeper: KeyKeeper = transit.rotation
    engine = cast("Any", keeper)
    for key in KeyName:
        raw = engine._keep(lambda hvac, key=key: hvac.read_key(name=key, mount_point=vault_transit.mount))["data"]
        assert (raw["type"], raw["derived"]) == ("aes256-gcm96", True)
        assert not raw["exportable"]
        assert not raw["allow_plaintext_backup"]
        assert not raw["deletion_allowed"]
        if key is KeyName.CVV:
            assert raw["auto_rotate_period"] == 3600
