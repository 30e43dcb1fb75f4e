"""What both engines promise. Keys live on between the tests of a real Vault, so versions are compared, not assumed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from chassis.ids import new_id
from services.vault.transit.service import (
    MAX_BATCH,
    Cipher,
    CipherRefused,
    Context,
    KeyName,
    Transit,
    context_of,
)


@pytest.fixture
def context() -> Context:
    return context_of("card", new_id("card"), "agency_1")


@pytest.mark.parametrize("plaintext", [b"", b"x", bytes(range(256)), b"\0" * 4096, "Zoë £".encode()])
def test_what_was_encrypted_opens_again(transit: Transit, context: Context, plaintext: bytes) -> None:
    cipher = transit.intake.encrypt(KeyName.CARD, plaintext, context)

    assert cipher.text.startswith(f"vault:v{cipher.version}:")
    assert transit.reveal.decrypt(KeyName.CARD, cipher, context) == plaintext


def test_the_same_text_never_encrypts_to_the_same_ciphertext(transit: Transit, context: Context) -> None:
    ciphers = {transit.intake.encrypt(KeyName.CARD, b"same", context).text for _ in range(20)}

    assert len(ciphers) == 20


def test_a_ciphertext_moved_to_another_token_agency_or_kind_does_not_open(transit: Transit) -> None:
    cipher = transit.intake.encrypt(KeyName.CARD, b"secret", context_of("card", "card_a", "agency_1"))

    for moved in (
        context_of("card", "card_b", "agency_1"),
        context_of("card", "card_a", "agency_2"),
        context_of("card", "card_a"),
    ):
        with pytest.raises(CipherRefused):
            transit.reveal.decrypt(KeyName.CARD, cipher, moved)
    with pytest.raises(CipherRefused):
        transit.reveal.decrypt(KeyName.CVV, cipher, context_of("card", "card_a", "agency_1"))


def test_a_changed_ciphertext_does_not_open(transit: Transit, context: Context) -> None:
    cipher = transit.intake.encrypt(KeyName.CARD, b"secret", context)
    head, body = cipher.text.rsplit(":", 1)
    for index in range(len(body.rstrip("="))):
        changed = body[:index] + ("A" if body[index] != "A" else "B") + body[index + 1 :]
        with pytest.raises(CipherRefused):
            transit.reveal.decrypt(KeyName.CARD, Cipher(f"{head}:{changed}"), context)


@pytest.mark.parametrize("text", ["vault:v999999:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "vault:v1:AAAA"])
def test_what_was_never_encrypted_is_refused(transit: Transit, context: Context, text: str) -> None:
    with pytest.raises(CipherRefused):
        transit.reveal.decrypt(KeyName.CARD, Cipher(text), context)


def test_a_context_is_required(transit: Transit, context: Context) -> None:
    cipher = transit.intake.encrypt(KeyName.CARD, b"secret", context)

    for call in (
        lambda: transit.intake.encrypt(KeyName.CARD, b"secret", Context(b"")),
        lambda: transit.reveal.decrypt(KeyName.CARD, cipher, Context(b"")),
    ):
        with pytest.raises(ValueError, match="context"):
            call()


def test_after_a_rotation_the_new_version_encrypts_and_the_old_still_opens(transit: Transit, context: Context) -> None:
    before = transit.intake.encrypt(KeyName.CARD, b"old", context)
    info = transit.rotation.rotate(KeyName.CARD)
    after = transit.intake.encrypt(KeyName.CARD, b"new", context)

    assert after.version == info.latest_version == before.version + 1
    assert info.versions[after.version] >= info.versions[before.version]
    assert transit.reveal.decrypt(KeyName.CARD, before, context) == b"old"
    assert transit.rotation.info(KeyName.CARD) == info


def test_rewrapping_keeps_text_and_context_and_refuses_item_by_item(transit: Transit) -> None:
    contexts = [context_of("card", f"card_{n}", "agency_1") for n in range(3)]
    old = [transit.intake.encrypt(KeyName.CARD, b"text %d" % n, context) for n, context in enumerate(contexts)]
    latest = transit.rotation.rotate(KeyName.CARD).latest_version

    results = transit.rotation.rewrap(
        KeyName.CARD, [(old[0], contexts[0]), (old[1], contexts[0]), (old[2], contexts[2])]
    )

    assert [type(result) for result in results] == [Cipher, CipherRefused, Cipher]
    for number in (0, 2):
        result = results[number]
        assert isinstance(result, Cipher)
        assert result.version == latest
        assert transit.reveal.decrypt(KeyName.CARD, result, contexts[number]) == b"text %d" % number


def test_a_full_batch_is_rewrapped_and_a_larger_one_refused(transit: Transit, context: Context) -> None:
    cipher = transit.intake.encrypt(KeyName.CARD, b"x", context)

    assert len(transit.rotation.rewrap(KeyName.CARD, [(cipher, context)] * MAX_BATCH)) == MAX_BATCH
    assert transit.rotation.rewrap(KeyName.CARD, []) == []
    with pytest.raises(ValueError, match="at most"):
        transit.rotation.rewrap(KeyName.CARD, [(cipher, context)] * (MAX_BATCH + 1))


def test_a_batch_in_which_everything_is_bad_is_refused_item_by_item(transit: Transit, context: Context) -> None:
    results = transit.rotation.rewrap(KeyName.CARD, [(Cipher("vault:v1:AAAA"), context)] * 3)

    assert [type(result) for result in results] == [CipherRefused] * 3


def test_a_retired_version_opens_nothing_and_retiring_never_goes_back(transit: Transit, context: Context) -> None:
    old = transit.intake.encrypt(KeyName.CVV, b"old", context)
    latest = transit.rotation.rotate(KeyName.CVV).latest_version

    info = transit.rotation.retire(KeyName.CVV, latest)

    assert info.min_decryption_version == latest
    assert list(info.versions) == [latest]
    assert info.oldest_version < latest
    with pytest.raises(CipherRefused):
        transit.reveal.decrypt(KeyName.CVV, old, context)
    assert transit.rotation.retire(KeyName.CVV, 1).min_decryption_version == latest
    with pytest.raises(ValueError, match="newest"):
        transit.rotation.retire(KeyName.CVV, latest + 1)


def test_trimming_destroys_and_the_key_goes_on(transit: Transit, context: Context) -> None:
    old = transit.intake.encrypt(KeyName.CVV, b"old", context)
    latest = old.version
    for _ in range(2):
        latest = transit.rotation.rotate(KeyName.CVV).latest_version
        trimmed = transit.rotation.trim(KeyName.CVV, latest)
        assert (trimmed.oldest_version, trimmed.min_decryption_version) == (latest, latest)

    new = transit.intake.encrypt(KeyName.CVV, b"new", context)

    assert transit.reveal.decrypt(KeyName.CVV, new, context) == b"new"
    assert transit.rotation.trim(KeyName.CVV, 1).oldest_version == latest
    with pytest.raises(CipherRefused):
        transit.reveal.decrypt(KeyName.CVV, old, context)
    assert isinstance(transit.rotation.rewrap(KeyName.CVV, [(old, context)])[0], CipherRefused)


def test_trimming_a_version_that_was_retired_before_destroys_it(transit: Transit) -> None:
    latest = transit.rotation.rotate(KeyName.CVV).latest_version
    assert transit.rotation.retire(KeyName.CVV, latest).oldest_version < latest

    assert transit.rotation.trim(KeyName.CVV, latest).oldest_version == latest


def test_many_callers_each_get_their_own_answer_and_their_own_refusal(transit: Transit) -> None:
    start = threading.Barrier(32)

    def one(number: int) -> bytes:
        context = context_of("card", f"card_{number}", "agency_1")
        start.wait()
        cipher = transit.intake.encrypt(KeyName.CARD, b"%d" % number, context)
        if number % 4 == 0:
            with pytest.raises(CipherRefused):
                transit.reveal.decrypt(KeyName.CARD, cipher, context_of("card", "another", "agency_1"))
        return transit.reveal.decrypt(KeyName.CARD, cipher, context)

    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(one, range(32))) == [b"%d" % number for number in range(32)]


def test_the_sealing_key_wraps_and_unwraps_and_the_engine_answers(transit: Transit) -> None:
    context = context_of("sealing-key", "seal_1")
    transit.health.check()

    cipher = transit.sealing.encrypt(KeyName.SEALING, b"a private key", context)

    assert transit.sealing.decrypt(KeyName.SEALING, cipher, context) == b"a private key"
