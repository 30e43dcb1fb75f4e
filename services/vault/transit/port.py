"""The port, split by privilege: each room of the vault gets only what it may do (docs/design.md, Encryption and keys).

Every call may raise TransitUnavailable. `timeout` is in seconds: the time the caller has left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.vault.transit.rules import (
    Cipher,
    CipherRefused,
    Context,
    KeyInfo,
    KeyName,
)

DEFAULT_TIMEOUT = 3.0


class Encryptor(Protocol):
    """May encrypt, and nothing else."""

    def encrypt(
        self,
        key: KeyName,
        plaintext: bytes,
        context: Context,
        *,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> Cipher:
        """Encrypts with the key's newest version, bound to the context."""
        ...


class BatchEncryptor(Encryptor, Protocol):
    """May encrypt many at once, and nothing else."""

    def encrypt_all(
        self,
        key: KeyName,
        items: Sequence[tuple[bytes, Context]],
        *,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> list[Cipher | CipherRefused]:
        """Each plaintext encrypted, in order, in one call; at most MAX_BATCH. A refusal stands for its item."""
        ...


class Decryptor(Protocol):
    """May decrypt, and nothing else."""

    def decrypt(
        self,
        key: KeyName,
        cipher: Cipher,
        context: Context,
        *,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> bytes:
        """The plaintext. Raises CipherRefused when the ciphertext does not open with this key and context."""
        ...


class Wrapper(Encryptor, Decryptor, Protocol):
    """May wrap and unwrap the vault's own keys (the key `sealing`)."""


class KeyKeeper(Protocol):
    """May rotate and rewrap; never sees a plaintext."""

    def rewrap(
        self,
        key: KeyName,
        items: Sequence[tuple[Cipher, Context]],
        *,
        timeout: float = 10.0,
    ) -> list[Cipher | CipherRefused]:
        """Each ciphertext under the newest version, in order; at most MAX_BATCH. A refusal stands for its item."""
        ...

    def rotate(self, key: KeyName) -> KeyInfo:
        """Makes a new version, which encrypts from now on."""
        ...

    def info(self, key: KeyName) -> KeyInfo: ...

    def retire(self, key: KeyName, min_version: int) -> KeyInfo:
        """Versions below `min_version` don't open anything any more. They still exist, and the engine's operator could
        lower the limit again, until `trim`. Never lowers. Raises ValueError above the latest version."""
        ...

    def trim(self, key: KeyName, min_version: int) -> KeyInfo:
        """Retires versions below `min_version` and destroys them for good."""
        ...


class Health(Protocol):
    """Tells whether the engine answers."""

    def check(self) -> None:
        """Raises TransitUnavailable when it does not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingTransit:
    """The transit engine as the program `charging` may use it: an identity of its own, which encrypts no card, rotates
    nothing, and opens cards for charging only."""

    cards: Decryptor
    seals: Wrapper
    health: Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Transit:
    """The transit engine as each room may use it."""

    intake: BatchEncryptor
    reveal: Decryptor
    rotation: KeyKeeper
    sealing: Wrapper
    health: Health
    rotates_by_itself: bool
    """Whether the engine rotates the CVV key on its own schedule; if not, the vault's worker does."""
