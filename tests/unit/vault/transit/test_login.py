"""One identity's way to Vault: what each way of failing means to the caller."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import urllib3
from urllib3.exceptions import NewConnectionError, ProtocolError, ReadTimeoutError

from services.vault.transit.engine import HvacEngine
from services.vault.transit.login import SendTimeout, Session
from services.vault.transit.rules import (
    Cipher,
    CipherRefused,
    KeyName,
    TransitDenied,
    TransitUnavailable,
    context_of,
)

CONTEXT = context_of("card", "card_1", "agency_1")
CIPHER = "vault:v1:" + "A" * 44


class Answer:
    def __init__(self, status: int, body: object = None) -> None:
        self.status = status
        self.data = json.dumps(body).encode() if body is not None else b""


class FakeVault:
    """Stands where the connection pool would. Logs in by default; `script` answers everything else, in turn."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, str], Any]] = []
        self.script: list[Answer | Exception] = []
        self.login: Callable[[], Answer] = lambda: self.logged_in()
        self.logins = 0

    def logged_in(self, *, lease: int = 3600, renewable: bool = True) -> Answer:
        self.logins += 1
        auth = {"client_token": f"token-{self.logins}", "lease_duration": lease, "renewable": renewable}
        return Answer(200, {"auth": auth})

    def urlopen(self, method: str, url: str, *, body: bytes | None, headers: dict[str, str], **_: object) -> Answer:
        self.calls.append((method, url, headers, json.loads(body) if body else None))
        if url.endswith("/login"):
            return self.login()
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def vault() -> FakeVault:
    return FakeVault()


@pytest.fixture
def session(vault: FakeVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    (tmp_path / "intake.json").write_text('{"role_id": "role", "secret_id": "secret"}')
    made = Session("https://vault.example:8200", credentials=tmp_path / "intake.json", ca=None)
    monkeypatch.setattr(made, "_pool", vault)
    return made


@pytest.fixture
def engine(session: Session) -> HvacEngine:
    return HvacEngine(session, mount="transit")


def encrypted(*ciphers: str) -> Answer:
    return Answer(200, {"data": {"batch_results": [{"ciphertext": cipher} for cipher in ciphers]}})


def encrypt(engine: HvacEngine, timeout: float = 1.0) -> Cipher:
    return engine.encrypt(KeyName.CARD, b"x", CONTEXT, timeout=timeout)


def test_it_logs_in_once_and_sends_the_token(engine: HvacEngine, vault: FakeVault) -> None:
    vault.script = [encrypted(CIPHER), encrypted(CIPHER)]

    assert encrypt(engine).text == encrypt(engine).text == CIPHER
    assert vault.logins == 1
    assert vault.calls[0][3] == {"role_id": "role", "secret_id": "secret"}
    assert [call[2].get("X-Vault-Token") for call in vault.calls] == [None, "token-1", "token-1"]
    assert vault.calls[1][:2] == ("POST", "/v1/transit/encrypt/card")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_vault_that_is_sealed_down_or_overrun_is_unavailable(
    engine: HvacEngine, vault: FakeVault, status: int
) -> None:
    vault.script = [Answer(status, {"errors": ["Vault is sealed"]})]

    with pytest.raises(TransitUnavailable) as fault:
        encrypt(engine)
    assert "sealed" not in fault.value.message


@pytest.mark.parametrize(
    "error",
    [
        NewConnectionError(None, "refused"),  # type: ignore[arg-type]
        urllib3.exceptions.SSLError("certificate verify failed"),
        ConnectionResetError(),
    ],
)
def test_a_vault_that_can_not_be_reached_is_unavailable(engine: HvacEngine, vault: FakeVault, error: Exception) -> None:
    vault.script = [error]

    with pytest.raises(TransitUnavailable):
        encrypt(engine)


def test_a_kept_connection_that_vault_had_closed_is_tried_again_once(engine: HvacEngine, vault: FakeVault) -> None:
    vault.script = [ProtocolError("closed"), encrypted(CIPHER)]
    assert encrypt(engine).text == CIPHER

    vault.script = [ProtocolError("closed"), ProtocolError("closed")]
    with pytest.raises(TransitUnavailable):
        encrypt(engine)


def test_a_vault_that_does_not_answer_costs_the_caller_its_own_time_only(session: Session, vault: FakeVault) -> None:
    vault.script = [ReadTimeoutError(None, "", "slow")]  # type: ignore[arg-type]

    with pytest.raises(SendTimeout):
        session.transit(lambda transit: transit.encrypt_data(name="card", batch_input=[]), 0.2)


def test_a_token_vault_no_longer_knows_is_replaced_and_the_call_repeated(engine: HvacEngine, vault: FakeVault) -> None:
    vault.script = [encrypted(CIPHER), Answer(403, {"errors": ["permission denied"]}), encrypted(CIPHER)]
    encrypt(engine)

    assert encrypt(engine).text == CIPHER
    assert vault.logins == 2


def test_what_a_fresh_token_may_not_do_is_denied(engine: HvacEngine, vault: FakeVault) -> None:
    vault.script = [Answer(403, {"errors": ["permission denied"]})] * 2

    with pytest.raises(TransitDenied):
        encrypt(engine)


def test_a_refused_login_is_denied_and_tried_again_at_the_next_call(engine: HvacEngine, vault: FakeVault) -> None:
    vault.login = lambda: Answer(400, {"errors": ["invalid role or secret ID"]})
    with pytest.raises(TransitDenied):
        encrypt(engine)

    vault.login = lambda: vault.logged_in()
    vault.script = [encrypted(CIPHER)]
    assert encrypt(engine).text == CIPHER


def test_a_token_is_renewed_in_time_and_used_on_when_renewing_fails(
    engine: HvacEngine, session: Session, vault: FakeVault
) -> None:
    vault.script = [encrypted(CIPHER)]
    encrypt(engine)
    session._renew_at = 0.0
    vault.script = [Answer(503, {"errors": ["sealed"]}), encrypted(CIPHER)]
    assert encrypt(engine).text == CIPHER

    session._renew_at = 0.0
    renewed = {"client_token": "token-1", "lease_duration": 3600, "renewable": True}
    vault.script = [Answer(200, {"auth": renewed}), encrypted(CIPHER)]
    assert encrypt(engine).text == CIPHER
    assert session._renew_at > 0.0
    assert vault.logins == 1


def test_a_token_that_renewing_no_longer_prolongs_is_replaced(
    engine: HvacEngine, session: Session, vault: FakeVault
) -> None:
    vault.script = [encrypted(CIPHER)]
    encrypt(engine)
    session._renew_at = 0.0
    nearly_over = {"client_token": "token-1", "lease_duration": 5, "renewable": True}
    vault.script = [Answer(200, {"auth": nearly_over}), encrypted(CIPHER)]

    encrypt(engine)

    assert vault.logins == 2


def test_in_a_batch_a_bad_item_is_refused_and_the_good_one_answered(engine: HvacEngine, vault: FakeVault) -> None:
    results = [{"ciphertext": CIPHER}, {"error": "invalid ciphertext"}]
    vault.script = [Answer(400, {"data": {"batch_results": results}})]

    good, bad = engine.rewrap(KeyName.CARD, [(Cipher(CIPHER), CONTEXT)] * 2)

    assert isinstance(good, Cipher)
    assert isinstance(bad, CipherRefused)


@pytest.mark.parametrize(
    "body",
    [None, {}, [], "x", {"data": None}, {"data": {"batch_results": "x"}}, {"data": {"batch_results": []}}],
)
def test_an_answer_that_is_no_answer_is_a_fault(engine: HvacEngine, vault: FakeVault, body: object) -> None:
    vault.script = [Answer(200, body)]

    with pytest.raises(TransitUnavailable):
        encrypt(engine)


@pytest.mark.parametrize("item", [{}, {"ciphertext": 5}, {"ciphertext": "nonsense"}, {"plaintext": "!"}, "x", None])
def test_an_item_that_is_no_ciphertext_is_refused(engine: HvacEngine, vault: FakeVault, item: object) -> None:
    vault.script = [Answer(200, {"data": {"batch_results": [item]}})]

    with pytest.raises(CipherRefused):
        encrypt(engine)
