"""The embedded engine: a keyring in one file, for one machine.

The same port and the same form of ciphertext as HashiCorp Vault's transit engine: AES-256-GCM, a key derived per
context from the version's key (HKDF, RFC 5869), versions, a lowest version that still opens, trimming that destroys.
Several processes on the machine may share the file: writers take a lock and replace it atomically, and every call
notices a replaced file.
"""

import base64
import fcntl
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chassis.clock import Clock
from services.vault.transit.port import DEFAULT_TIMEOUT, ChargingTransit, Transit
from services.vault.transit.rules import (
    MAX_BATCH,
    Cipher,
    CipherRefused,
    Context,
    KeyInfo,
    KeyName,
    TransitUnavailable,
)

_log = structlog.get_logger(__name__)
_NONCE_BYTES = 12
_FORMAT = 1


def open_embedded(path: Path, *, clock: Clock) -> Transit:
    """The embedded engine over a keyring file, which is made when absent."""
    keyring = EmbeddedKeyring(path, clock=clock)
    _log.warning(
        "transit.embedded",
        keyring=str(path),
        note="for one machine only; use HashiCorp Vault for more",
    )
    return Transit(
        intake=keyring,
        reveal=keyring,
        rotation=keyring,
        sealing=keyring,
        health=keyring,
        rotates_by_itself=False,
    )


def open_charging_embedded(path: Path, *, clock: Clock) -> ChargingTransit:
    """The same keyring for the program `charging`."""
    keyring = EmbeddedKeyring(path, clock=clock)
    return ChargingTransit(cards=keyring, seals=keyring, health=keyring)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """A key's versions, by number: the secret and the time it was made."""

    min_decryption_version: int
    secrets: dict[int, bytes]
    created: dict[int, datetime]

    def rotated(self, now: datetime) -> "_Key":
        number = max(self.secrets, default=0) + 1
        return replace(
            self,
            secrets=self.secrets | {number: secrets.token_bytes(32)},
            created=self.created | {number: now},
        )


_Ring = dict[KeyName, _Key]


class EmbeddedKeyring:
    """All privileges over one keyring file. Thread-safe."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._reload = threading.Lock()
        self._stamp: tuple[int, ...] = ()
        self._ring: _Ring = {}

    # ---- the port

    def check(self) -> None:
        self._current()

    def encrypt(
        self,
        key: KeyName,
        plaintext: bytes,
        context: Context,
        *,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> Cipher:
        stored = self._current()[key]
        number = max(stored.secrets)
        nonce = os.urandom(_NONCE_BYTES)
        sealed = _derive(stored.secrets[number], key, context).encrypt(nonce, plaintext, None)
        return Cipher(f"vault:v{number}:{base64.b64encode(nonce + sealed).decode()}")

    def encrypt_all(
        self,
        key: KeyName,
        items: Sequence[tuple[bytes, Context]],
        *,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> list[Cipher | CipherRefused]:
        return [self.encrypt(key, plaintext, context) for plaintext, context in items]

    def decrypt(
        self,
        key: KeyName,
        cipher: Cipher,
        context: Context,
        *,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> bytes:
        stored = self._current()[key]
        secret = stored.secrets.get(cipher.version)
        if secret is None or cipher.version < stored.min_decryption_version:
            raise CipherRefused("the ciphertext's key version is gone")
        opener = _derive(secret, key, context)
        try:
            raw = base64.b64decode(cipher.text.split(":", 2)[2], validate=True)
            return opener.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None)
        except (InvalidTag, ValueError) as error:
            raise CipherRefused("the ciphertext does not open") from error

    def rewrap(
        self,
        key: KeyName,
        items: Sequence[tuple[Cipher, Context]],
        *,
        timeout: float = 10.0,
    ) -> list[Cipher | CipherRefused]:
        if len(items) > MAX_BATCH:
            raise ValueError(f"at most {MAX_BATCH} items at a time")
        results: list[Cipher | CipherRefused] = []
        for cipher, context in items:
            try:
                results.append(self.encrypt(key, self.decrypt(key, cipher, context), context))
            except CipherRefused as refusal:
                results.append(refusal)
        return results

    def rotate(self, key: KeyName) -> KeyInfo:
        return self._change(key, lambda stored: stored.rotated(self._clock.now()))

    def info(self, key: KeyName) -> KeyInfo:
        return _info(key, self._current()[key])

    def retire(self, key: KeyName, min_version: int) -> KeyInfo:
        return self._change(key, lambda stored: _retired(stored, min_version))

    def trim(self, key: KeyName, min_version: int) -> KeyInfo:
        def trimmed(stored: _Key) -> _Key:
            kept = _retired(stored, min_version)
            return replace(
                kept,
                secrets={n: secret for n, secret in kept.secrets.items() if n >= min_version},
                created={n: made for n, made in kept.created.items() if n >= min_version},
            )

        return self._change(key, trimmed)

    # ---- the file

    def _current(self) -> _Ring:
        """The keyring as it stands on disk: one `stat` when nothing changed."""
        try:
            if _stamp(self._path.stat()) == self._stamp:
                return self._ring
        except FileNotFoundError:
            pass
        except OSError as error:
            raise _unreadable(error) from error
        with self._reload, self._locked():
            return self._read_or_make()

    def _change(self, key: KeyName, change: Callable[[_Key], _Key]) -> KeyInfo:
        with self._reload, self._locked():
            ring = dict(self._read_or_make())
            changed = change(ring[key])
            if changed != ring[key]:
                ring[key] = changed
                self._write(ring)
            return _info(key, changed)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Excludes every other process that reads or replaces the file."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(
                self._path.with_name(self._path.name + ".lock"),
                os.O_RDWR | os.O_CREAT | os.O_CLOEXEC,
                0o600,
            )
        except OSError as error:
            raise _unreadable(error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _read_or_make(self) -> _Ring:
        """Only under the lock. A key the file lacks (an older keyring) is added."""
        try:
            with self._path.open(encoding="ascii") as file:
                stamp, ring = _stamp(os.fstat(file.fileno())), _parse(file.read())
        except FileNotFoundError as error:
            if self._ring:  # never go on with fresh keys: what is stored would be lost behind them
                raise _unreadable(error) from error
            stamp, ring = (), {}
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise _unreadable(error) from error
        missing = [key for key in KeyName if key not in ring]
        if missing:
            blank = _Key(min_decryption_version=1, secrets={}, created={})
            self._write(ring | {key: blank.rotated(self._clock.now()) for key in missing})
        else:
            self._ring, self._stamp = ring, stamp
        return self._ring

    def _write(self, ring: _Ring) -> None:
        """Replaces the file: whole or not at all, and on disk before anything is encrypted with what is new."""
        new = self._path.with_name(self._path.name + ".new")
        old: int | None = None
        try:
            old = os.open(self._path, os.O_RDWR | os.O_CLOEXEC) if self._path.exists() else None
            new.unlink(missing_ok=True)
            with os.fdopen(_create_private(new), "w", encoding="ascii") as file:
                file.write(_render(ring))
                file.flush()
                os.fsync(file.fileno())
                stamp = _stamp(os.fstat(file.fileno()))
            new.replace(self._path)
            _sync_directory(self._path.parent)
            if old is not None:
                _wipe(old)
        except OSError as error:
            raise _unreadable(error) from error
        finally:
            if old is not None:
                os.close(old)
        self._ring, self._stamp = ring, stamp


def _retired(stored: _Key, min_version: int) -> _Key:
    if min_version > max(stored.secrets):
        raise ValueError("the newest version can't be retired")
    return replace(stored, min_decryption_version=max(min_version, stored.min_decryption_version))


def _info(key: KeyName, stored: _Key) -> KeyInfo:
    lowest = stored.min_decryption_version
    return KeyInfo(
        key=key,
        versions={number: made for number, made in stored.created.items() if number >= lowest},
        min_decryption_version=lowest,
        oldest_version=min(stored.secrets),
    )


def _derive(secret: bytes, key: KeyName, context: Context) -> AESGCM:
    if not context:
        raise ValueError("a derived key needs a context")
    info = b"wayvault transit " + key.value.encode() + b"\0" + context
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret))


def _parse(text: str) -> _Ring:
    content = json.loads(text)
    if content["format"] != _FORMAT:
        raise ValueError("the keyring is of a newer format")
    return {
        KeyName(name): _Key(
            min_decryption_version=int(entry["min_decryption_version"]),
            secrets={int(n): base64.b64decode(version["secret"]) for n, version in entry["versions"].items()},
            created={int(n): datetime.fromisoformat(version["created_at"]) for n, version in entry["versions"].items()},
        )
        for name, entry in content["keys"].items()
    }


def _render(ring: _Ring) -> str:
    keys = {
        name.value: {
            "min_decryption_version": key.min_decryption_version,
            "versions": {
                str(n): {
                    "secret": base64.b64encode(secret).decode(),
                    "created_at": key.created[n].isoformat(),
                }
                for n, secret in key.secrets.items()
            },
        }
        for name, key in ring.items()
    }
    return json.dumps({"format": _FORMAT, "keys": keys}, indent=1)


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_mtime_ns, status.st_size


def _create_private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _wipe(descriptor: int) -> None:
    """Overwrites the replaced file, so that a trimmed version does not linger on disk (as far as the disk allows)."""
    os.pwrite(descriptor, b"\0" * os.fstat(descriptor).st_size, 0)
    os.fsync(descriptor)


def _unreadable(error: Exception) -> TransitUnavailable:
    _log.error("transit.keyring_unusable", error=type(error).__name__)
    return TransitUnavailable()
