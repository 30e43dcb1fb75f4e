"""Typed refusals that cross the wire.

Each ErrorCode of protos/wayvault/common/v1/common.proto maps to one exception class here, both ways
(`error_class`, `WayvaultError.code`). Every text an error carries is safe to show to a person.
"""

from typing import ClassVar

from protos.wayvault.common.v1.common_pb2 import ErrorCode


class WayvaultError(Exception):
    """An expected refusal or fault.

    `message` says what happened, what it means and what to do next, in words for the person at the screen.
    `field` names the field at fault; `attempts_left` counts what a challenge still allows.
    """

    code: ClassVar["ErrorCode.ValueType"] = ErrorCode.ERROR_CODE_INTERNAL
    default_message: ClassVar[str] = "Something went wrong on our side. Nothing was used up; please try again."

    def __init__(self, message: str = "", *, field: str = "", attempts_left: int = 0) -> None:
        self.message = message or self.default_message
        self.field = field
        self.attempts_left = attempts_left
        super().__init__(self.message)


class Internal(WayvaultError):
    """A broken promise of ours; the cause is in the server's log only."""


class InvalidArgument(WayvaultError):
    code = ErrorCode.ERROR_CODE_INVALID_ARGUMENT
    default_message = "Something in the request is missing or malformed."


class NotFound(WayvaultError):
    code = ErrorCode.ERROR_CODE_NOT_FOUND
    default_message = "There is nothing here by that name."


class PermissionDenied(WayvaultError):
    code = ErrorCode.ERROR_CODE_PERMISSION_DENIED
    default_message = "You may not do this."


class Unauthenticated(WayvaultError):
    code = ErrorCode.ERROR_CODE_UNAUTHENTICATED
    default_message = "The caller is not known to this service."


class Unavailable(WayvaultError):
    code = ErrorCode.ERROR_CODE_UNAVAILABLE
    default_message = "The card vault can't be reached right now. Nothing was used up; please try again in a moment."


class DeadlineTooShort(WayvaultError):
    code = ErrorCode.ERROR_CODE_DEADLINE_TOO_SHORT
    default_message = "There was not enough time left to do this safely. Nothing was used up; please try again."


class IdempotencyMismatch(WayvaultError):
    code = ErrorCode.ERROR_CODE_IDEMPOTENCY_MISMATCH
    default_message = "This request was sent before with other content. Please reload the page and try again."


class TooLarge(WayvaultError):
    code = ErrorCode.ERROR_CODE_TOO_LARGE
    default_message = "The request is too large."


class IntakeExpired(WayvaultError):
    code = ErrorCode.ERROR_CODE_INTAKE_EXPIRED
    default_message = "The form was open for too long. Nothing was stored; please enter the card again."


class IntakeUsed(WayvaultError):
    code = ErrorCode.ERROR_CODE_INTAKE_USED
    default_message = "This form was sent before. Please reload the page."


class SealBroken(WayvaultError):
    code = ErrorCode.ERROR_CODE_SEAL_BROKEN
    default_message = "The secure form is out of date. Nothing was stored; please reload the page and try again."


class CardInvalid(WayvaultError):
    code = ErrorCode.ERROR_CODE_CARD_INVALID
    default_message = "The card details don't look right. Please check them."


class CodeWrong(WayvaultError):
    code = ErrorCode.ERROR_CODE_CODE_WRONG
    default_message = "That code is not right."


class CodeExpired(WayvaultError):
    code = ErrorCode.ERROR_CODE_CODE_EXPIRED
    default_message = "That code has expired. Nothing was used up; ask for a new one."


class CodeLocked(WayvaultError):
    code = ErrorCode.ERROR_CODE_CODE_LOCKED
    default_message = "Too many wrong codes. The card was not shown; ask for a new code."


class TooManyChallenges(WayvaultError):
    code = ErrorCode.ERROR_CODE_TOO_MANY_CHALLENGES
    default_message = "Three codes were sent for this card within an hour. The card is untouched; try again later."


class AlreadyRevealed(WayvaultError):
    code = ErrorCode.ERROR_CODE_ALREADY_REVEALED
    default_message = "This card was already shown, and a card is shown only once."


class CardGone(WayvaultError):
    code = ErrorCode.ERROR_CODE_CARD_GONE
    default_message = "This card has been deleted from the vault."


class CvvGone(WayvaultError):
    code = ErrorCode.ERROR_CODE_CVV_GONE
    default_message = "There is no CVV in the vault for this card any more."


class LinkExpired(WayvaultError):
    code = ErrorCode.ERROR_CODE_LINK_EXPIRED
    default_message = "This link has expired. Nothing was shown; ask for a new one."


class LinkUsed(WayvaultError):
    code = ErrorCode.ERROR_CODE_LINK_USED
    default_message = "This link was already used, and it works only once."


class Busy(WayvaultError):
    code = ErrorCode.ERROR_CODE_BUSY
    default_message = "The same request is under way already. Please try again in a moment."


class AgentUnknown(WayvaultError):
    code = ErrorCode.ERROR_CODE_AGENT_UNKNOWN
    default_message = "The vault does not know this agent yet. An operator has to enrol them with it first."


_CLASSES: dict[int, type[WayvaultError]] = {int(cls.code): cls for cls in WayvaultError.__subclasses__()}

_missing = {int(number) for number in ErrorCode.values()} - set(_CLASSES) - {0}
if _missing:
    raise ImportError(f"chassis.errors has no class for the error codes {sorted(_missing)}")


def error_class(code: int) -> type[WayvaultError]:
    """The exception class of an ErrorCode's number; Internal for one this version doesn't know."""
    return _CLASSES.get(code, Internal)
