"""What the secure frame sealed for a reveal, read strictly. Nothing here raises an error that quotes the input."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

from chassis.errors import InvalidArgument, SealBroken
from chassis.sealing import RecipientKey, SealError
from services.vault.reveal.rules import CODE_DIGITS

_CODE: Final = re.compile(rf"[0-9]{{{CODE_DIGITS}}}")
_ID: Final = re.compile(r"[a-z0-9_]{1,64}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeEntry:
    """A code typed for a challenge."""

    challenge_id: str
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """The frame's ephemeral key: the only one that will ever open the answer. `id` is the hash of its point."""

    id: bytes
    key: RecipientKey = field(repr=False)


def read_reveal(payload: bytes) -> tuple[CodeEntry, Recipient]:
    """{"challenge_id","code","reply_key"}. Raises SealBroken or InvalidArgument."""
    fields = _fields(payload, {"challenge_id", "code", "reply_key"})
    return _code_entry(fields), _recipient(fields)


def read_code(payload: bytes) -> CodeEntry:
    """{"challenge_id","code"}, of a CVV's code or an approver's."""
    return _code_entry(_fields(payload, {"challenge_id", "code"}))


def read_cvv_redeem(payload: bytes) -> tuple[str, Recipient]:
    """{"link_token","reply_key"}: the token, and the recipient."""
    fields = _fields(payload, {"link_token", "reply_key"})
    token = fields["link_token"]
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise InvalidArgument("This link is incomplete. Please open it from the e-mail again.", field="link_token")
    return token, _recipient(fields)


def _code_entry(fields: dict[str, Any]) -> CodeEntry:
    challenge_id, code = fields["challenge_id"], fields["code"]
    if not isinstance(challenge_id, str) or not _ID.fullmatch(challenge_id):
        raise InvalidArgument("The request names no challenge.", field="challenge_id")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        # Not a guess: it can't be right, so it costs no attempt and is compared with nothing.
        raise InvalidArgument(f"The code has {CODE_DIGITS} digits.", field="code")
    return CodeEntry(challenge_id=challenge_id, code=code)


def _recipient(fields: dict[str, Any]) -> Recipient:
    jwk = fields["reply_key"]
    if not isinstance(jwk, dict):
        raise InvalidArgument("The reply key is malformed.", field="reply_key")
    try:
        key = RecipientKey.from_jwk(jwk)
    except SealError:
        raise InvalidArgument("The reply key is malformed.", field="reply_key") from None
    return Recipient(id=hashlib.sha256(key.thumbprint.encode()).digest(), key=key)


def _fields(payload: bytes, names: set[str]) -> dict[str, Any]:
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError):
        raise SealBroken from None
    if not isinstance(fields, dict) or set(fields) != names:
        raise SealBroken
    return fields
