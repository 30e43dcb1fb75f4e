"""Sealed texts: they interoperate, open only where they belong, and no byte of them can change unseen."""

import base64
import copy
import json
import pickle
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from hypothesis import given
from hypothesis import strategies as st

from chassis.sealing import OpeningKey, RecipientKey, SealError, open_sealed, open_signed, seal_to, sealed_kid, sign

TYP = "wv-store+jwe"
KEY = OpeningKey.generate("key-1")

# RFC 7518, Appendix C: Bob's key.
RFC_BOB = {
    "kty": "EC",
    "crv": "P-256",
    "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
    "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
    "d": "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw",
}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def derive(shared: bytes) -> bytes:
    """RFC 7518 §4.6.2: AlgorithmID, empty PartyUInfo and PartyVInfo, SuppPubInfo = 256 bits."""
    alg = b"A256GCM"
    info = len(alg).to_bytes(4, "big") + alg + b"\0" * 8 + (256).to_bytes(4, "big")
    return ConcatKDFHash(hashes.SHA256(), 32, info).derive(shared)


def public_of(jwk: dict[str, str]) -> ec.EllipticCurvePublicKey:
    x, y = (int.from_bytes(unb64(jwk[name]), "big") for name in "xy")
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def jwk_of(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": b64(numbers.x.to_bytes(32, "big")),
        "y": b64(numbers.y.to_bytes(32, "big")),
    }


def seal_by_hand(
    recipient: dict[str, str], payload: bytes, *, nonce: bytes = b"n" * 12, encrypted_key: str = "", **changes: Any
) -> str:
    """A seal made without the code under test; `changes` replace header fields (None removes one)."""
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "typ": TYP, "epk": jwk_of(ephemeral.public_key())} | changes
    protected = b64(json.dumps({name: value for name, value in header.items() if value is not None}).encode())
    cek = derive(ephemeral.exchange(ec.ECDH(), public_of(recipient)))
    sealed = AESGCM(cek).encrypt(nonce, payload, protected.encode())
    return ".".join([protected, encrypted_key, b64(nonce), b64(sealed[:-16]), b64(sealed[-16:])])


# ---- interoperation


@given(st.binary(max_size=2000))
def test_what_is_sealed_opens(payload: bytes) -> None:
    assert open_sealed(KEY, seal_to(KEY.public, payload, TYP), TYP) == payload


def test_what_another_implementation_sealed_opens() -> None:
    assert open_sealed(RFC_BOB, seal_by_hand(RFC_BOB, b"by hand"), TYP) == b"by hand"


def test_another_implementation_opens_what_we_sealed() -> None:
    text = seal_to({name: RFC_BOB[name] for name in ("kty", "crv", "x", "y")}, b"ours", TYP)
    protected, encrypted_key, nonce, body, tag = text.split(".")
    header = json.loads(unb64(protected))
    private = ec.derive_private_key(int.from_bytes(unb64(RFC_BOB["d"]), "big"), ec.SECP256R1())

    cek = derive(private.exchange(ec.ECDH(), public_of(header["epk"])))

    assert encrypted_key == ""
    assert set(header) == {"alg", "enc", "typ", "epk"}
    assert AESGCM(cek).decrypt(unb64(nonce), unb64(body) + unb64(tag), protected.encode()) == b"ours"


def test_each_seal_has_a_key_of_its_own() -> None:
    headers = [json.loads(unb64(seal_to(KEY.public, b"x", TYP).split(".")[0])) for _ in range(20)]

    assert len({header["epk"]["x"] for header in headers}) == 20


def test_a_thumbprint_is_the_one_of_rfc_7638_and_tells_points_apart() -> None:
    canonical = json.dumps(
        {name: RFC_BOB[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"), sort_keys=True
    ).encode()
    digest = hashes.Hash(hashes.SHA256())
    digest.update(canonical)

    assert OpeningKey(RFC_BOB).public.thumbprint == b64(digest.finalize())
    assert RecipientKey.from_jwk({**KEY.public.public_jwk, "kid": "other"}).thumbprint == KEY.public.thumbprint


# ---- tampering and confusion


def test_no_character_of_a_seal_can_change_unseen() -> None:
    text = seal_to(KEY.public, b'{"pan":"4111111111111111"}', TYP)
    for index, char in enumerate(text):
        for other in (".", "=", chr(ord(char) ^ 1)):
            if other == char:
                continue
            with pytest.raises(SealError):
                open_sealed(KEY, text[:index] + other + text[index + 1 :], TYP)


def test_no_part_of_a_seal_can_be_cut_doubled_or_taken_from_another() -> None:
    text, other = seal_to(KEY.public, b"one", TYP), seal_to(KEY.public, b"two", TYP)
    parts, others = text.split("."), other.split(".")
    mixes = [[*parts[:index], others[index], *parts[index + 1 :]] for index in (0, 2, 3, 4)]
    for wrong in ("", text[:-1], text + ".", text + "A", "." + text, text * 2, " " + text, *map(".".join, mixes)):
        with pytest.raises(SealError):
            open_sealed(KEY, wrong, TYP)


def test_a_seal_of_another_type_or_key_does_not_open() -> None:
    text = seal_to(KEY.public, b"x", TYP)
    same_point = OpeningKey({**json.loads(KEY.private_jwk()), "kid": "key-2"})

    for key, typ in ((KEY, "wv-reveal+jwe"), (OpeningKey.generate("key-1"), TYP), (same_point, TYP)):
        with pytest.raises(SealError):
            open_sealed(key, text, typ)


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "dir"},
        {"alg": "ECDH-ES+A256KW"},
        {"alg": "RSA-OAEP"},
        {"alg": "none"},
        {"alg": ["ECDH-ES"]},
        {"enc": "A128GCM"},
        {"enc": "A256CBC-HS512"},
        {"typ": None},
        {"typ": 5},
        {"epk": None},
        {"epk": "x"},
        {"zip": "DEF"},
        {"crit": ["exp"], "exp": 1},
        {"jku": "https://evil.example/keys"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"apu": "QWxpY2U"},
        {"kid": 7},
        {"kid": "a b"},
    ],
)
def test_nothing_in_a_header_can_be_negotiated(changes: dict[str, Any]) -> None:
    with pytest.raises(SealError):
        open_sealed(RFC_BOB, seal_by_hand(RFC_BOB, b"x", **changes), TYP)


def test_a_short_nonce_an_encrypted_key_and_a_doubled_name_are_refused() -> None:
    good = seal_by_hand(RFC_BOB, b"x")
    protected, _, *rest = good.split(".")
    doubled = b64(unb64(protected)[:-1] + b', "typ": "' + TYP.encode() + b'"}')
    for text in (
        seal_by_hand(RFC_BOB, b"x", nonce=b"n" * 8),
        seal_by_hand(RFC_BOB, b"x", encrypted_key="AAAA"),
        ".".join([doubled, "", *rest]),
        "." + good.split(".", 1)[1],
        "A" * 20_000,
        good.replace("e", "é", 1),
    ):
        with pytest.raises(SealError):
            open_sealed(RFC_BOB, text, TYP)


@given(st.text(max_size=300))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(SealError):
        open_sealed(KEY, text, TYP)
    with pytest.raises(SealError):
        sealed_kid(text)


# ---- keys

P256_P = 2**256 - 2**224 + 2**192 + 2**96 - 1


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (0, 0),
        (1, 1),
        (5, 1),
        (P256_P, 5),
        (2**256 - 1, 2**256 - 1),
        # a point of the curve's quadratic twist would do as an invalid-curve attack's probe
        (3, 2),
    ],
)
def test_a_point_that_is_not_on_the_curve_is_refused_everywhere(x: int, y: int) -> None:
    bad = {"kty": "EC", "crv": "P-256", "x": b64(x.to_bytes(32, "big")), "y": b64(y.to_bytes(32, "big"))}

    with pytest.raises(SealError):
        RecipientKey.from_jwk(bad)
    with pytest.raises(SealError):
        seal_to(bad, b"x", TYP)
    with pytest.raises(SealError):
        open_sealed(RFC_BOB, seal_by_hand(RFC_BOB, b"x", epk=bad), TYP)


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        [],
        "not json",
        "5",
        {"kty": "oct", "k": "AAAA"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {**{k: v for k, v in RFC_BOB.items() if k != "d"}, "crv": "P-384"},
        {**{k: v for k, v in RFC_BOB.items() if k != "d"}, "x": "AA"},
        {**{k: v for k, v in RFC_BOB.items() if k != "d"}, "x": 5},
        {**{k: v for k, v in RFC_BOB.items() if k != "d"}, "kid": 5},
        RFC_BOB,
    ],
)
def test_a_recipient_is_a_public_p256_key_and_nothing_else(jwk: Any) -> None:
    with pytest.raises(SealError):
        RecipientKey.from_jwk(jwk)


def test_a_private_key_with_the_wrong_public_half_is_refused() -> None:
    other = KEY.public.public_jwk
    with pytest.raises(SealError):
        OpeningKey({**RFC_BOB, "x": other["x"], "y": other["y"]})
    with pytest.raises(SealError):
        OpeningKey({name: RFC_BOB[name] for name in ("kty", "crv", "x", "y")})


def test_a_private_key_shows_and_gives_itself_to_nobody() -> None:
    secret = json.loads(KEY.private_jwk())["d"]

    assert secret not in repr(KEY) + str(KEY) + f"{KEY}" + KEY.public.public_json()
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            take(KEY)


def test_a_text_names_the_key_it_was_sealed_to() -> None:
    assert sealed_kid(seal_to(KEY.public, b"x", TYP)) == "key-1"
    assert sealed_kid(seal_by_hand(RFC_BOB, b"x")) is None


# ---- signatures


def test_a_signature_holds_for_its_key_type_and_text_only() -> None:
    text = sign(KEY, b"payload", "wv-audit-head+jws")
    assert open_signed(KEY.public, text, "wv-audit-head+jws") == b"payload"

    with pytest.raises(SealError):
        open_signed(KEY.public, text, "wv-letter+jws")
    with pytest.raises(SealError):
        open_signed(OpeningKey.generate("key-1").public, text, "wv-audit-head+jws")
    for index, char in enumerate(text):
        changed = text[:index] + ("A" if char != "A" else "B") + text[index + 1 :]
        with pytest.raises(SealError):
            open_signed(KEY.public, changed, "wv-audit-head+jws")


@pytest.mark.parametrize("alg", ["none", "HS256", "ES384", "RS256"])
def test_another_algorithm_than_es256_is_refused(alg: str) -> None:
    text = sign(KEY, b"payload", "t")
    header = b64(json.dumps({"alg": alg, "typ": "t", "kid": "key-1"}).encode())

    for signature in (text.split(".")[2], ""):
        with pytest.raises(SealError):
            open_signed(KEY.public, f"{header}.{text.split('.')[1]}.{signature}", "t")
