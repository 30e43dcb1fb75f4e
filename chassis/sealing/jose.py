"""JWE (RFC 7516) and JWS (RFC 7515) with everything fixed, nothing negotiated.

A sealed text is a compact JWE, ECDH-ES on P-256 (RFC 7518 §4.6) with A256GCM. Its header holds exactly
`alg`, `enc`, `typ`, `epk` and, when the recipient's key has one, `kid`. `typ` says what the payload is, and a text
opens only where that type is expected, so that a sealed request can't be replayed as another kind of request.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, final

from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

# The vault refuses messages above 16 KiB; nothing that is sealed comes near it.
MAX_SEALED_CHARS = 16 * 1024

_ALG, _ENC, _CURVE, _SIGN = "ECDH-ES", "A256GCM", "P-256", "ES256"
_JWE_REGISTRY = jwe.JWERegistry(algorithms=[_ALG, _ENC])
_JWS_REGISTRY = jws.JWSRegistry(algorithms=[_SIGN])
_COORDINATE = re.compile(r"[A-Za-z0-9_-]{43}")
_KID = re.compile(r"[\x21-\x7e]{1,128}")


class SealError(Exception):
    """A text that can't be opened: damaged, sealed to another key, of another type, or with a signer unknown.

    The message never holds any of the content.
    """


def _fields_of_jwk(jwk: Mapping[str, Any] | str | bytes) -> dict[str, str]:
    """The checked members of an EC P-256 JWK (RFC 7518 §6.2); everything else in it is ignored."""
    try:
        source = json.loads(jwk) if isinstance(jwk, str | bytes) else jwk
    except ValueError as error:
        raise SealError("the key is not JSON") from error
    if not isinstance(source, Mapping) or source.get("kty") != "EC" or source.get("crv") != _CURVE:
        raise SealError("the key is not an EC key on P-256")
    fields = {"kty": "EC", "crv": _CURVE}
    for name in ("x", "y", "d"):
        value = source.get(name)
        if name == "d" and value is None:
            continue
        if not isinstance(value, str) or not _COORDINATE.fullmatch(value):
            raise SealError("the key's coordinates are malformed")
        fields[name] = value
    kid = source.get("kid")
    if kid is not None:
        if not isinstance(kid, str) or not _KID.fullmatch(kid):
            raise SealError("the key's id is malformed")
        fields["kid"] = kid
    return fields


def _import(fields: dict[str, str]) -> ECKey:
    try:
        key = ECKey.import_key({**fields})
        _ = key.raw_value  # loads the numbers now: OpenSSL refuses a point that is not on the curve
    except (JoseError, ValueError, TypeError) as error:
        raise SealError("the key is not a point on P-256") from error
    return key


@final
@dataclass(frozen=True, slots=True)
class RecipientKey:
    """A validated public P-256 key to seal to, or to check a signature with. Made by `from_jwk`."""

    kid: str | None
    _key: ECKey = field(repr=False, compare=False)
    thumbprint: str
    """RFC 7638, base64url SHA-256: equal for equal points, whatever else the JWK carried."""

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any] | str | bytes) -> Self:
        """Reads a JWK, given as a mapping or as JSON. Raises SealError for anything but a public P-256 key."""
        fields = _fields_of_jwk(jwk)
        if "d" in fields:
            raise SealError("a private key was given where a public one belongs")
        return cls._of(fields)

    @classmethod
    def _of(cls, fields: dict[str, str]) -> Self:
        key = _import(fields)
        return cls(fields.get("kid"), key, key.thumbprint())

    @property
    def public_jwk(self) -> dict[str, str]:
        """The key as an RFC 7517 mapping."""
        return {name: str(value) for name, value in self._key.as_dict(private=False).items()}

    def public_json(self) -> str:
        """The key as RFC 7517 JSON."""
        return json.dumps(self.public_jwk)


@final
class OpeningKey:
    """A private P-256 key that opens sealed texts, or signs. Never shows itself in `repr`."""

    __slots__ = ("_key", "kid", "public")

    def __init__(self, jwk: Mapping[str, Any] | str | bytes) -> None:
        """Reads a private JWK, given as a mapping or as JSON. Raises SealError."""
        fields = _fields_of_jwk(jwk)
        if "d" not in fields:
            raise SealError("a public key was given where a private one belongs")
        self._key = _import(fields)
        self.kid = fields.get("kid")
        # The public half is computed from d by OpenSSL, which refuses x and y that don't belong to it.
        self.public = RecipientKey._of({name: value for name, value in fields.items() if name != "d"})

    @classmethod
    def generate(cls, kid: str | None = None) -> Self:
        """A new key pair from the operating system's random source."""
        made = {
            name: str(value) for name, value in ECKey.generate_key(_CURVE, private=True).as_dict(private=True).items()
        }
        return cls({**made, "kid": kid} if kid else {k: v for k, v in made.items() if k != "kid"})

    def private_jwk(self) -> bytes:
        """The whole key as JSON, for wrapping. The one way out; keep it away from logs."""
        fields = {name: self._key.as_dict(private=True)[name] for name in ("kty", "crv", "x", "y", "d")}
        return json.dumps(fields | ({"kid": self.kid} if self.kid else {})).encode()

    def __repr__(self) -> str:
        return f"OpeningKey(kid={self.kid!r})"

    def __reduce__(self) -> Any:  # Any: as object's
        raise TypeError("an OpeningKey can't be pickled or copied")


def seal_to(public_jwk: RecipientKey | Mapping[str, Any] | str, payload: bytes | bytearray, typ: str) -> str:
    """Seals a payload to a P-256 key: a compact JWE. Raises SealError when the key is not a valid P-256 key.

    The library takes bytes alone: of a bytearray, which its owner overwrites, one copy lives until this returns.
    """
    recipient = public_jwk if isinstance(public_jwk, RecipientKey) else RecipientKey.from_jwk(public_jwk)
    header: dict[str, Any] = {"alg": _ALG, "enc": _ENC, "typ": typ}
    if recipient.kid is not None:
        header["kid"] = recipient.kid
    return jwe.encrypt_compact(header, bytes(payload), recipient._key, registry=_JWE_REGISTRY)


def open_sealed(private_jwk: OpeningKey | Mapping[str, Any] | str, text: str, expected_typ: str) -> bytes:
    """The payload of a sealed text.

    Raises SealError unless it is a canonical compact JWE of exactly our form and of the expected type, sealed to this
    key and undamaged. A key with a `kid` opens only texts that name it.
    """
    key = private_jwk if isinstance(private_jwk, OpeningKey) else OpeningKey(private_jwk)
    header = _jwe_header(text)
    if header["typ"] != expected_typ:
        raise SealError("the text was sealed for another purpose")
    if key.kid is not None and header.get("kid") != key.kid:
        raise SealError("the text was sealed to another key")
    try:
        opened = jwe.decrypt_compact(text, key._key, registry=_JWE_REGISTRY)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise SealError("the text does not open") from error
    if opened.plaintext is None:
        raise SealError("the text does not open")
    return opened.plaintext


def sealed_kid(text: str) -> str | None:
    """Which key a text says it was sealed to, for choosing the key to open it with. Raises SealError if malformed."""
    kid = _jwe_header(text).get("kid")
    return None if kid is None else str(kid)


def _jwe_header(text: str) -> dict[str, Any]:
    parts = compact_parts(text, 5)
    header = json_object(parts[0])
    if header.get("alg") != _ALG or header.get("enc") != _ENC or parts[1]:
        raise SealError("the text is not sealed with ECDH-ES and A256GCM")
    if not {"alg", "enc", "typ", "epk"} <= set(header) <= {"alg", "enc", "typ", "epk", "kid"}:
        raise SealError("the text's header holds something unexpected")
    _check_names(header)
    if not isinstance(header["epk"], dict) or set(header["epk"]) != {
        "kty",
        "crv",
        "x",
        "y",
    }:
        raise SealError("the text's key is malformed")
    _fields_of_jwk(header["epk"])
    # 96-bit nonce, 128-bit tag (RFC 7518 §5.3); shorter ones would weaken the check.
    if len(parts[2]) != 12 or len(parts[4]) != 16:
        raise SealError("the text is malformed")
    return header


def _check_names(header: dict[str, Any]) -> None:
    if not isinstance(header.get("typ"), str):
        raise SealError("the text's type is malformed")
    if "kid" in header and not (isinstance(header["kid"], str) and _KID.fullmatch(header["kid"])):
        raise SealError("the text's key id is malformed")


def compact_parts(text: str, count: int) -> list[bytes]:
    """The decoded parts; refuses base64url that is padded or not canonical, so that no byte can change unseen."""
    if len(text) > MAX_SEALED_CHARS or not text.isascii():
        raise SealError("the text is malformed")
    parts = text.split(".")
    if len(parts) != count:
        raise SealError("the text is malformed")
    return [_decode(part) for part in parts]


def _decode(part: str) -> bytes:
    try:
        decoded = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise SealError("the text is malformed") from error
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise SealError("the text is malformed")
    return decoded


def json_object(raw: bytes) -> dict[str, Any]:
    try:
        header = json.loads(raw, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise SealError("the text's JSON is malformed") from error
    if not isinstance(header, dict):
        raise SealError("the text's JSON is malformed")
    return header


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def sign(key: OpeningKey, payload: bytes, typ: str) -> str:
    """Signs a payload with ES256: a compact JWS of the given type."""
    header = {"alg": _SIGN, "typ": typ}
    if key.kid is not None:
        header["kid"] = key.kid
    return jws.serialize_compact(header, payload, key._key, registry=_JWS_REGISTRY)


def open_signed(key: RecipientKey, text: str, expected_typ: str) -> bytes:
    """The payload of a text signed with this key. Raises SealError unless type, key id and signature are right."""
    raw_header, payload, signature = compact_parts(text, 3)
    header = json_object(raw_header)
    if header.get("alg") != _SIGN or header.get("typ") != expected_typ or len(signature) != 64:
        raise SealError("the text is not signed as it should be")
    if not set(header) <= {"alg", "typ", "kid"}:
        raise SealError("the text's header holds something unexpected")
    if key.kid is not None and header.get("kid") != key.kid:
        raise SealError("the text was signed with another key")
    try:
        jws.deserialize_compact(text, key._key, registry=_JWS_REGISTRY)
    except (JoseError, ValueError) as error:
        raise SealError("the signature does not hold") from error
    return payload


def read_opening_key(path: Path) -> OpeningKey:
    """The private key in a JWK file. Raises SealError, saying which file."""
    return OpeningKey(_read_key(path))


def read_recipient_key(path: Path) -> RecipientKey:
    """The public key in a JWK file. Raises SealError, saying which file."""
    return RecipientKey.from_jwk(_read_key(path))


def _read_key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SealError(f"the key file {path} can't be read; `make up` (deploy.dev.certificates) makes it") from error
