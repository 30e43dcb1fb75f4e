import unicodedata

import argon2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.passwords import Passwords, password_error
from services.crm.access.auth.secrets import (
    AuthenticatorSecretLost,
    AuthenticatorSecrets,
    code_at_step,
    new_authenticator_secret,
    provisioning_uri,
)

KEY = "k" * 40


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(memory_kib=64, passes=1)


def test_passwords_are_hashed_with_argon2id(passwords: Passwords) -> None:
    stored = passwords.hash("harbour lantern velvet")
    assert stored.startswith("$argon2id$")
    assert passwords.verify(stored, "harbour lantern velvet")
    assert not passwords.verify(stored, "harbour lantern velvet ")


@given(st.text(max_size=20).map(lambda text: f"{text}é한ö lantern"))
def test_a_password_is_the_same_in_whatever_form_a_keyboard_sends_it(password: str) -> None:
    cheap = Passwords(memory_kib=64, passes=1)
    for form in ("NFC", "NFD"):
        stored = cheap.hash(unicodedata.normalize(form, password))
        assert all(cheap.verify(stored, unicodedata.normalize(typed, password)) for typed in ("NFC", "NFD"))
        # From before there was one form.
        older = argon2.PasswordHasher(memory_cost=64, time_cost=1).hash(unicodedata.normalize(form, password))
        assert all(cheap.verify(older, unicodedata.normalize(typed, password)) for typed in ("NFC", "NFD"))
        assert not cheap.verify(stored, f"{password}x")


def test_the_real_setting_is_64_mib_and_three_passes() -> None:
    assert "m=65536,t=3," in Passwords().hash("harbour lantern velvet")


def test_without_a_stored_hash_no_password_is_right(passwords: Passwords) -> None:
    assert not passwords.verify(None, "")
    assert not passwords.verify(None, "anything at all")


@given(st.text(max_size=40))
def test_a_broken_hash_is_a_wrong_password_not_a_crash(broken: str) -> None:
    assert not Passwords(memory_kib=64, passes=1).verify(broken or "x", "anything at all")


@pytest.mark.parametrize(
    "password",
    ["password1234", "qwertyuiop12", "iloveyou1234", "111111111111", "maya.okafor.harbour", "letmein letmein"],
)
def test_leaked_and_guessable_passwords_are_refused_with_a_reason(password: str) -> None:
    error = password_error(
        password, ["Maya Okafor", "Maya", "Okafor", "maya@harbour.example", "maya", "harbour.example"]
    )
    assert error is not None
    assert "guess" in error
    assert password not in error


def test_a_few_unrelated_words_are_welcome() -> None:
    assert password_error("harbour lantern velvet ostrich", ["Maya Okafor"]) is None


def test_an_authenticators_secret_opens_only_for_its_agent_and_key() -> None:
    vault, secret = AuthenticatorSecrets(KEY), new_authenticator_secret()
    sealed = vault.seal("agent_1", secret)
    assert secret not in sealed
    assert vault.open("agent_1", sealed) == secret
    with pytest.raises(AuthenticatorSecretLost):
        vault.open("agent_2", sealed)
    with pytest.raises(AuthenticatorSecretLost):
        AuthenticatorSecrets("j" * 40).open("agent_1", sealed)


def test_the_qr_address_names_the_agency_and_the_person() -> None:
    uri = provisioning_uri("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "maya@harbour.example", "Harbour & Vine")
    assert uri.startswith("otpauth://totp/Wayvault%20Harbour%20%26%20Vine:maya%40harbour.example?")


def test_codes_are_those_of_rfc_6238() -> None:
    # Appendix B, SHA-1, T = 59 s, cut to six digits; the secret is "12345678901234567890".
    assert code_at_step("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 1) == "287082"
