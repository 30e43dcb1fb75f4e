"""services.vault.config: what each program of the vault's zone must be given, and no more."""

import shutil
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from services.vault.config import VaultSettings
from services.vault.phone.config import PhoneSettings
from tests.support.tls import Authority
from tests.support.vault_kit import write_letter_keys


@pytest.fixture
def production(tmp_path: Path) -> VaultSettings:
    """As on the frame's machine: its own certificate is all that is there."""
    files = Authority.create(tmp_path / "made").issue("frame")
    certs = tmp_path / "certs"
    certs.mkdir()
    for file, name in ((files.ca, "ca.pem"), (files.cert, "frame.pem"), (files.key, "frame.key")):
        shutil.copy(file, certs / name)
    return VaultSettings(
        state_dir=tmp_path,
        environment="production",
        trusted_proxies=1,
        frame_origin="https://card.agency.com",
        frame_parents=["https://crm.agency.com"],
        cvv_link_url="https://crm.agency.com/cvv",
    )


def test_the_frame_needs_none_of_the_vaults_secrets(production: VaultSettings) -> None:
    assert production.frame_problems() == []
    assert production.problems() != []


def test_the_frame_says_what_it_lacks(production: VaultSettings, tmp_path: Path) -> None:
    (tmp_path / "certs" / "frame.key").unlink()
    plain = production.model_copy(update={"frame_origin": "http://card.agency.com"})
    said = "\n".join(plain.frame_problems())
    assert "frame.key" in said
    assert "VAULT_FRAME_ORIGIN: production needs an https:// address." in said


@pytest.fixture
def vault(tmp_path: Path) -> VaultSettings:
    """On one machine, as `make up` has it: everything is there."""
    authority = Authority.create(tmp_path / "certs")
    authority.issue("vault")
    signing, _, _, letter_public = write_letter_keys(tmp_path / "letters")
    return VaultSettings(
        state_dir=tmp_path,
        secret_key=SecretStr("k" * 40),
        letter_signing_key=signing,
        notifier_letter_key=letter_public,
    )


def test_what_the_vault_lacks_is_named_with_the_way_to_get_it(vault: VaultSettings, tmp_path: Path) -> None:
    assert vault.problems() == []
    without = vault.model_copy(
        update={"letter_signing_key": tmp_path / "none.jwk", "secret_key": SecretStr(""), "environment": "production"}
    )
    said = "\n".join(without.problems())
    assert f"VAULT_LETTER_SIGNING_KEY: there is no readable file {tmp_path / 'none.jwk'}" in said
    assert "VAULT_SECRET_KEY" in said
    assert "VAULT_TRANSIT_URL: the embedded keyring is for one machine" in said


def test_in_production_no_program_that_cards_pass_starts_where_swap_could_keep_them(
    vault: VaultSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    masker = PhoneSettings(state_dir=vault.state_dir)
    monkeypatch.setattr("chassis.hardening.readable_swap", lambda: ["/dev/sda2"])
    for settings in (vault, masker):
        assert "Swap is on (/dev/sda2)" not in "\n".join(settings.problems())
        production = settings.model_copy(update={"environment": "production"})
        assert "Swap is on (/dev/sda2)" in "\n".join(production.problems())


def test_charging_says_what_would_let_cards_out(vault: VaultSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert vault.charging_problems() == []
    monkeypatch.setenv("STRIPE_LOG", "debug")
    there = {
        "stripe_url": "https://elsewhere.example",
        "gateway_hosts": ["https://api.stripe.com", "http://plain.example"],
        "environment": "production",
        "database_url": "postgresql+psycopg://wayvault_vault@db/wayvault_vault",
    }
    said = vault.model_copy(update=there).charging_problems()
    assert [line.partition(":")[0] for line in said] == [
        "VAULT_STRIPE_URL",
        "STRIPE_LOG",
        "VAULT_CHARGING_DATABASE_URL",
        "VAULT_GATEWAY_HOSTS",
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sealing_key_grace": "PT10M"}, "sealing_key_grace must be at least intake_ttl"),
        ({"transit_url": "https://vault.example:8200"}, "transit_auth_dir must hold its credentials"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        VaultSettings.model_validate(given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"media_address": "pbx.example"}, "must be an IP address that phones can reach"),
        ({"ng_listen": "0.0.0.0:8113"}, "whoever reaches it may command the masker"),
        ({"ng_listen": "127.0.0.1:many"}, "whoever reaches it may command the masker"),
        ({"media_first_port": "30000", "media_last_port": "30002"}, "room for four ports"),
    ],
)
def test_a_masker_that_could_not_work_is_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        PhoneSettings.model_validate(given)


def test_a_masker_carries_a_call_for_every_four_ports() -> None:
    assert PhoneSettings(media_first_port=30_000, media_last_port=30_010).most_calls == 2
    # Every call's session can be watched, and the agents still be answered.
    assert PhoneSettings(workers=8, media_first_port=30_000, media_last_port=30_399).threads == 100 + 8
