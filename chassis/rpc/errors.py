"""chassis.errors on the wire: a gRPC status for machines in between, an ErrorDetail in a trailer for us."""

from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError

from chassis import errors
from chassis.rpc.overload import OVERLOADED
from protos.wayvault.common.v1.common_pb2 import ErrorCode, ErrorDetail

TRAILER: Final = "wayvault-error-bin"
# Tells gRPC's own retry not to repeat a call that the server answered (gRFC A6).
_NO_RETRY: Final = ("grpc-retry-pushback-ms", "-1")

_STATUS: Final[dict[int, grpc.StatusCode]] = {
    ErrorCode.ERROR_CODE_INTERNAL: grpc.StatusCode.INTERNAL,
    ErrorCode.ERROR_CODE_INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorCode.ERROR_CODE_CARD_INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorCode.ERROR_CODE_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorCode.ERROR_CODE_PERMISSION_DENIED: grpc.StatusCode.PERMISSION_DENIED,
    ErrorCode.ERROR_CODE_UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    ErrorCode.ERROR_CODE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    ErrorCode.ERROR_CODE_DEADLINE_TOO_SHORT: grpc.StatusCode.DEADLINE_EXCEEDED,
    ErrorCode.ERROR_CODE_TOO_LARGE: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorCode.ERROR_CODE_TOO_MANY_CHALLENGES: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorCode.ERROR_CODE_BUSY: grpc.StatusCode.ABORTED,
}

_NO_ANSWER = "The card vault did not answer in time. Please try again: repeating the same request is safe."


def status_of(error: errors.WayvaultError) -> grpc.StatusCode:
    """The gRPC status for a refusal; FAILED_PRECONDITION for those that say "not in this state"."""
    return _STATUS.get(int(error.code), grpc.StatusCode.FAILED_PRECONDITION)


def trailers_of(error: errors.WayvaultError) -> tuple[tuple[str, str | bytes], ...]:
    """The trailing metadata that carries the refusal."""
    detail = ErrorDetail(
        code=error.code,
        message=error.message,
        field=error.field,
        attempts_left=max(0, error.attempts_left),
    )
    return ((TRAILER, detail.SerializeToString()), _NO_RETRY)


def from_rpc_error(error: grpc.RpcError) -> errors.WayvaultError:
    """The exception a failed call stands for: the server's own, else what the transport's fault means."""
    # gRPC raises objects that are both RpcError and Call, which its stubs don't say.
    call: Any = error
    if not isinstance(call, grpc.Call):
        return errors.Internal()
    if (carried := _carried(call)) is not None:
        return carried
    match call.code():
        case grpc.StatusCode.UNAVAILABLE:
            return errors.Unavailable()
        case grpc.StatusCode.DEADLINE_EXCEEDED | grpc.StatusCode.CANCELLED:
            return errors.Unavailable(_NO_ANSWER)
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            too_large = "larger than max" in (call.details() or "")
            return errors.TooLarge() if too_large else errors.Unavailable(OVERLOADED)
        case grpc.StatusCode.UNAUTHENTICATED:
            return errors.Unauthenticated()
        case grpc.StatusCode.PERMISSION_DENIED:
            return errors.PermissionDenied()
        case _:
            return errors.Internal()


def _carried(call: grpc.Call) -> errors.WayvaultError | None:
    trailers: Any = call.trailing_metadata()
    for key, value in trailers or ():
        if key == TRAILER and isinstance(value, bytes):
            try:
                detail = ErrorDetail.FromString(value)
            except DecodeError:
                return None
            cls = errors.error_class(int(detail.code))
            return cls(detail.message, field=detail.field, attempts_left=detail.attempts_left)
    return None
