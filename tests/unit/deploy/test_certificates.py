"""deploy.dev.certificates: what it makes, keeps, renews and replaces."""

import datetime as dt
import json
import stat
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from chassis.sealing import OpeningKey, RecipientKey
from deploy.dev import certificates
from deploy.dev.certificates import CertificateFault, ensure
from deploy.dev.state import Ports, State


@dataclass(slots=True)
class MovableClock:
    moment: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def now(self) -> dt.datetime:
        return self.moment


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(root=tmp_path / "var", ports=Ports())


def _certificate(state: State, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((state.certs / f"{name}.pem").read_bytes())


def test_every_identity_gets_a_certificate_that_its_authority_vouches_for_under_its_own_name(state: State) -> None:
    ensure(state)
    store = Store([_certificate(state, "ca")])
    for identity in certificates.IDENTITIES:
        verifier = PolicyBuilder().store(store).build_server_verifier(x509.DNSName(f"{identity}.wayvault.internal"))
        verifier.verify(_certificate(state, identity), [])


def test_a_caller_can_not_pass_for_a_server_on_this_machine(state: State) -> None:
    ensure(state)
    names = _certificate(state, "operator").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [name.value for name in names] == ["operator.wayvault.internal"]


def test_private_files_are_readable_by_their_owner_only(state: State) -> None:
    ensure(state)
    private = [*state.certs.glob("*.key"), *state.secrets.glob("*/secret_key"), *state.secrets.glob("[!p]*/*.jwk")]
    private.append(state.secrets / "portal" / "letter_signing.jwk")
    assert len(private) > 15
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    folders = [state.certs, state.secrets, *(path for path in state.secrets.iterdir() if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


def test_a_second_run_changes_nothing(state: State) -> None:
    ensure(state)
    before = {path: path.read_bytes() for path in state.root.rglob("*") if path.is_file()}
    assert certificates.due(state, MovableClock()) == []
    outcome = ensure(state)
    assert (outcome.certificates, outcome.keys) == ([], [])
    assert before == {path: path.read_bytes() for path in state.root.rglob("*") if path.is_file()}


def test_a_certificate_close_to_its_end_is_renewed_under_the_same_authority(state: State) -> None:
    clock = MovableClock()
    ensure(state, clock=clock)
    authority = _certificate(state, "ca")
    clock.moment += certificates.LEAF_LIFE - dt.timedelta(days=29)
    assert certificates.due(state, clock) == list(certificates.IDENTITIES)
    assert ensure(state, clock=clock).certificates == list(certificates.IDENTITIES)
    assert _certificate(state, "ca") == authority


def test_an_authority_that_would_end_before_its_certificates_is_replaced_with_all_of_them(state: State) -> None:
    clock = MovableClock()
    ensure(state, clock=clock)
    clock.moment += certificates.CA_LIFE - dt.timedelta(days=100)
    assert ensure(state, clock=clock).certificates == ["ca", *certificates.IDENTITIES]


def test_rotating_one_identity_leaves_the_others_alone(state: State) -> None:
    ensure(state)
    before = {name: _certificate(state, name) for name in certificates.IDENTITIES}
    assert ensure(state, rotate="crm").certificates == ["crm"]
    changed = {name for name, old in before.items() if _certificate(state, name) != old}
    assert changed == {"crm"}


def test_a_damaged_certificate_is_made_anew(state: State) -> None:
    ensure(state)
    (state.certs / "portal.pem").write_text("not a certificate")
    assert ensure(state).certificates == ["portal"]


def test_an_unknown_identity_is_refused_with_the_list_of_known_ones(state: State) -> None:
    with pytest.raises(CertificateFault, match=r"no identity 'crn'.*vault, charging, crm"):
        ensure(state, rotate="crn")


def test_a_damaged_authority_is_not_silently_replaced(state: State) -> None:
    ensure(state)
    (state.certs / "ca.key").write_text("damaged")
    with pytest.raises(CertificateFault, match=r"Remove .*ca\.pem"):
        ensure(state)


def test_each_letter_keys_public_half_belongs_to_its_private_half(state: State) -> None:
    ensure(state)
    pairs = {
        "notifier/letters": "notifier_letters",
        "vault/letter_signing": "vault_signing",
        "crm/letter_signing": "crm_signing",
        "portal/letter_signing": "portal_signing",
    }
    for private, public in pairs.items():
        own = OpeningKey((state.secrets / f"{private}.jwk").read_text())
        other_file = state.secrets / "public" / f"{public}.jwk"
        other = RecipientKey.from_jwk(other_file.read_text())
        assert own.kid == other.kid == own.public.thumbprint == other.thumbprint
        assert "d" not in json.loads(other_file.read_text())


def test_a_lost_public_half_is_written_again_from_the_private_one(state: State) -> None:
    ensure(state)
    file = state.secrets / "public" / "vault_signing.jwk"
    before = file.read_text()
    file.unlink()
    ensure(state)
    assert json.loads(file.read_text()) == json.loads(before)


def test_the_command_says_plainly_what_it_did_and_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert certificates.main(["--state", str(tmp_path)]) == 0
    assert "certificates made" in capsys.readouterr().out
    assert certificates.main(["--state", str(tmp_path)]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert certificates.main(["--state", str(tmp_path), "--rotate", "nobody"]) == 1
    assert "no identity 'nobody'" in capsys.readouterr().err


@pytest.mark.parametrize("base", ["x", "80", "70000", "-1"])
def test_a_port_base_that_can_not_be_used_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="WAYVAULT_PORT_BASE"):
        State.from_environment({"WAYVAULT_PORT_BASE": base})


def test_asked_what_it_would_make_it_makes_nothing(state: State, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--state", str(state.root), "--check"]
    assert certificates.main(where) == 0
    assert "Would make" in capsys.readouterr().out
    assert not state.certs.exists()
    ensure(state)
    assert certificates.main([*where, "--rotate", "crm"]) == 0
    assert capsys.readouterr().out.strip().endswith(": crm.")
    assert certificates.main([*where, "--rotate", "nobody"]) == 1
