"""services.vault.config: what each program of the vault's zone must be given, and no more."""

import shutil
from pathlib import Path

import pytest

from services.vault.config import VaultSettings
from tests.support.tls import Authority


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
