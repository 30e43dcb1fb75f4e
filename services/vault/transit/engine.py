"""HashiCorp Vault's transit engine, through hvac.

Five identities, each an AppRole of its own with a policy of its own (deploy/vault/bootstrap), read from
`<auth_dir>/<identity>.json` {"role_id", "secret_id"}. Under the mount `transit` they need:

| identity | paths (capability) |
|---|---|
| intake | `encrypt/card`, `encrypt/cvv` (update) |
| reveal | `decrypt/card`, `decrypt/cvv` (update) |
| charging | `decrypt/card`, `decrypt/cvv`, `encrypt/sealing`, `decrypt/sealing` (update) |
| sealing | `encrypt/sealing`, `decrypt/sealing` (update) |
| rotation | `rewrap/+`, `keys/+/rotate`, `keys/+/config`, `keys/+/trim` (update), `keys/+` (read) of the three keys |

and each `auth/token/renew-self` (update), which Vault's default policy gives. Keys: `card`, `cvv`, `sealing`, all
`aes256-gcm96`, `derived=true`, `exportable=false`, `allow_plaintext_backup=false`; `cvv` with `auto_rotate_period=1h`.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog
from hvac.api.secrets_engines.transit import Transit as HvacTransit
from hvac.exceptions import Forbidden, InternalServerError, InvalidRequest, Unauthorized, VaultError

from services.vault.coalescer import Coalescer
from services.vault.transit.login import Session
from services.vault.transit.port import DEFAULT_TIMEOUT, ChargingTransit, Transit
from services.vault.transit.rules import (
    MAX_BATCH,
    Cipher,
    CipherRefused,
    Context,
    KeyInfo,
    KeyName,
    TransitDenied,
    TransitUnavailable,
)

_log = structlog.get_logger(__name__)
_CALL_TIMEOUT = 5.0

_Batch = Sequence[Mapping[str, str]]
T = TypeVar("T")


def open_engine(url: str, *, auth_dir: Path, mount: str, ca: Path | None) -> Transit:
    """The engine of the Vault at `url`, with one login per identity."""

    def identity(name: str) -> HvacEngine:
        return HvacEngine(Session(url, credentials=auth_dir / f"{name}.json", ca=ca), mount=mount)

    sealing = identity("sealing")
    return Transit(
        intake=identity("intake"),
        reveal=identity("reveal"),
        rotation=identity("rotation"),
        sealing=sealing,
        health=sealing,
        rotates_by_itself=True,
    )


def open_charging_engine(url: str, *, auth_dir: Path, mount: str, ca: Path | None) -> ChargingTransit:
    """The engine of the Vault at `url` as the program `charging` sees it."""
    engine = HvacEngine(Session(url, credentials=auth_dir / "charging.json", ca=ca), mount=mount)
    return ChargingTransit(cards=engine, seals=engine, health=engine)


class HvacEngine:
    """All operations as one identity; its policy says which of them Vault lets it do. Thread-safe."""

    def __init__(self, session: Session, *, mount: str) -> None:
        self._session = session
        self._mount = mount
        self._encryptors = {key: self._encryptor(key) for key in KeyName}
        self._encrypt = {key: _lane(self._encryptors[key]) for key in KeyName}
        self._decrypt = {key: _lane(self._decryptor(key)) for key in KeyName}

    def check(self) -> None:
        """A login that still holds means: reachable, unsealed, and this identity known."""
        self._session.check()

    def encrypt(
        self,
        key: KeyName,
        plaintext: bytes,
        context: Context,
        *,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> Cipher:
        return self._encrypt[key].call({"plaintext": _b64(plaintext), "context": _required(context)}, timeout)

    def encrypt_all(
        self,
        key: KeyName,
        items: Sequence[tuple[bytes, Context]],
        *,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> list[Cipher | CipherRefused]:
        if len(items) > MAX_BATCH:
            raise ValueError(f"at most {MAX_BATCH} items at a time")
        if not items:
            return []
        batch = [{"plaintext": _b64(plaintext), "context": _required(context)} for plaintext, context in items]
        return self._encryptors[key](batch, timeout)

    def decrypt(
        self,
        key: KeyName,
        cipher: Cipher,
        context: Context,
        *,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> bytes:
        return self._decrypt[key].call({"ciphertext": cipher.text, "context": _required(context)}, timeout)

    def rewrap(
        self,
        key: KeyName,
        items: Sequence[tuple[Cipher, Context]],
        *,
        timeout: float = 10.0,
    ) -> list[Cipher | CipherRefused]:
        if len(items) > MAX_BATCH:
            raise ValueError(f"at most {MAX_BATCH} items at a time")
        if not items:
            return []
        batch = [{"ciphertext": cipher.text, "context": _required(context)} for cipher, context in items]

        def call(transit: HvacTransit) -> Any:  # Any: hvac's
            return transit.rewrap_data(name=key, ciphertext="", batch_input=batch, mount_point=self._mount)

        return [_outcome(result, _cipher_of) for result in self._batch_results(call, timeout)]

    def rotate(self, key: KeyName) -> KeyInfo:
        self._keep(lambda transit: transit.rotate_key(name=key, mount_point=self._mount))
        return self.info(key)

    def info(self, key: KeyName) -> KeyInfo:
        data = self._keep(lambda transit: transit.read_key(name=key, mount_point=self._mount))["data"]
        return KeyInfo(
            key=key,
            versions={int(n): _moment(made) for n, made in data["keys"].items()},
            min_decryption_version=int(data["min_decryption_version"]),
            oldest_version=int(data["min_available_version"]) or 1,  # 0: never trimmed
        )

    def retire(self, key: KeyName, min_version: int) -> KeyInfo:
        known = self.info(key)
        if min_version > known.latest_version:
            raise ValueError("the newest version can't be retired")
        if min_version <= known.min_decryption_version:
            return known
        # First what may encrypt: Vault wants it never below what may decrypt, and hvac refuses both in one call.
        self._configure(key, min_encryption_version=known.latest_version)
        self._configure(key, min_decryption_version=min_version)
        return self.info(key)

    def trim(self, key: KeyName, min_version: int) -> KeyInfo:
        known = self.retire(key, min_version)
        if known.oldest_version >= min_version:
            return known
        self._keep(lambda transit: transit.trim_key(name=key, min_version=min_version, mount_point=self._mount))
        return self.info(key)

    # ---- calls

    def _configure(self, key: KeyName, **limits: int) -> None:
        self._keep(lambda transit: transit.update_key_configuration(name=key, mount_point=self._mount, **limits))

    def _encryptor(self, key: KeyName) -> Callable[[_Batch, float], list[Cipher | CipherRefused]]:
        def send(batch: _Batch, timeout: float) -> list[Cipher | CipherRefused]:
            results = self._batch_results(
                lambda transit: transit.encrypt_data(name=key, batch_input=list(batch), mount_point=self._mount),
                timeout,
            )
            return [_outcome(result, _cipher_of) for result in results]

        return send

    def _decryptor(self, key: KeyName) -> Callable[[_Batch, float], list[bytes | Exception]]:
        def send(batch: _Batch, timeout: float) -> list[bytes | Exception]:
            results = self._batch_results(
                lambda transit: transit.decrypt_data(
                    name=key,
                    ciphertext="",
                    batch_input=list(batch),
                    mount_point=self._mount,
                ),
                timeout,
            )
            return [_outcome(result, _plaintext_of) for result in results]

        return send

    def _batch_results(self, call: Callable[[HvacTransit], Any], timeout: float) -> list[Any]:
        """The results of a batch. With a bad item in it Vault answers 400 or 500, but with all results in the body."""
        try:
            answer = self._session.transit(call, timeout)
        except (InvalidRequest, InternalServerError) as refusal:
            answer = refusal.json if isinstance(refusal.json, dict) else {}
        except VaultError as error:
            raise _fault(error) from error
        data = answer.get("data") if isinstance(answer, dict) else None
        results = data.get("batch_results") if isinstance(data, dict) else None
        if not isinstance(results, list):
            _log.error("transit.batch_refused")
            raise TransitUnavailable
        return results

    def _keep(self, call: Callable[[HvacTransit], Any]) -> Any:  # Any: hvac's
        try:
            return self._session.transit(call, _CALL_TIMEOUT)
        except VaultError as error:
            raise _fault(error) from error


def _lane(send: Callable[[_Batch, float], Sequence[T | Exception]]) -> Coalescer[Mapping[str, str], T]:
    return Coalescer(send, max_batch=MAX_BATCH, unavailable=TransitUnavailable)


def _fault(error: VaultError) -> TransitUnavailable:
    # hvac's message names the path and Vault's errors; neither holds a plaintext, but keep to the kind.
    _log.error("transit.fault", kind=type(error).__name__)
    return TransitDenied() if isinstance(error, Forbidden | Unauthorized) else TransitUnavailable()


def _outcome(result: Any, read: Callable[[dict[str, Any]], T]) -> T | CipherRefused:
    if not isinstance(result, dict) or result.get("error"):
        return CipherRefused("the ciphertext does not open")
    try:
        return read(result)
    except (KeyError, ValueError, TypeError):
        return CipherRefused("the engine's answer is malformed")


def _cipher_of(result: dict[str, Any]) -> Cipher:
    return Cipher(result["ciphertext"])


def _plaintext_of(result: dict[str, Any]) -> bytes:
    return base64.b64decode(result["plaintext"], validate=True)


def _required(context: Context) -> str:
    if not context:
        raise ValueError("a derived key needs a context")
    return _b64(context)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _moment(made: int | Mapping[str, Any]) -> datetime:
    """Vault tells a symmetric key's versions as Unix seconds, others' as a mapping."""
    return datetime.fromtimestamp(made, UTC) if isinstance(made, int) else datetime.fromisoformat(made["creation_time"])
