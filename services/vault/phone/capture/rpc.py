"""PhoneCapture on the wire: parses, calls the service, renders. Caller: the CRM."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import grpc

from chassis.clock import Clock
from chassis.errors import InvalidArgument
from chassis.rpc import current_call
from chassis.rpc.fields import identifier, one_line, whole_number
from chassis.timestamps import stamp
from protos.wayvault.phone.v1 import phone_pb2 as pb
from protos.wayvault.phone.v1 import phone_pb2_grpc
from services.vault.custody.service import MAX_CARD_DAYS, MAX_CVV_HOURS
from services.vault.phone.capture.rules import Field, State, TimeLimits
from services.vault.phone.capture.service import Sessions
from services.vault.phone.capture.sessions import Progress, Purpose

_FIELDS: Final = {
    pb.PHONE_FIELD_NUMBER: Field.NUMBER,
    pb.PHONE_FIELD_EXPIRY: Field.EXPIRY,
    pb.PHONE_FIELD_CVV: Field.CVV,
}
_NUMBERS: Final = {field: number for number, field in _FIELDS.items()}
_BEAT_SECONDS: Final = 1.0
_WAY_BACK: Final = 0.5
_LONGEST_NAME: Final = 80


class Readiness:
    """What the masker knows of itself and of Kamailio; times are monotonic seconds, None for never."""

    def __init__(
        self,
        clock: Clock,
        kamailio: Callable[[], float | None],
        checked: Callable[[], float | None],
        calls: Callable[[], int],
    ) -> None:
        self._clock = clock
        self._started = clock.now()
        self._kamailio, self._checked, self._calls = kamailio, checked, calls

    def response(self, sessions: int) -> pb.GetReadinessResponse:
        """As the CRM reads it."""
        return pb.GetReadinessResponse(
            started_at=stamp(self._started),
            kamailio_at=stamp(self._moment(self._kamailio())),
            checked_at=stamp(self._moment(self._checked())),
            calls=self._calls(),
            sessions=sessions,
        )

    def _moment(self, monotonic: float | None) -> datetime | None:
        return None if monotonic is None else self._clock.now() - timedelta(seconds=time.monotonic() - monotonic)


class PhoneCaptureRpc(phone_pb2_grpc.PhoneCaptureServicer):
    """See phone.proto."""

    def __init__(self, sessions: Sessions, readiness: Readiness, silent: Callable[[], Sequence[str]]) -> None:
        """`silent`: what a session needs and does not answer now, `exchange` or `vault`."""
        self._sessions = sessions
        self._readiness = readiness
        self._silent = silent

    def OpenSession(self, request: pb.OpenSessionRequest, context: grpc.ServicerContext) -> pb.OpenSessionResponse:
        limits = TimeLimits(
            field=whole_number(request.field_seconds, "field_seconds", least=10, most=180),
            idle=whole_number(request.idle_seconds, "idle_seconds", least=30, most=900),
            total=whole_number(request.total_seconds, "total_seconds", least=60, most=3600),
        )
        purpose = Purpose(
            agency_id=identifier(request.agency_id, "agency_id"),
            agent_id=identifier(request.agent_id, "agent_id"),
            payment_id=identifier(request.payment_id, "payment_id"),
            desk=one_line(request.desk, "desk", longest=64),
            card_days=whole_number(request.card_retention_days, "card_retention_days", least=1, most=MAX_CARD_DAYS),
            cvv_hours=whole_number(request.cvv_retention_hours, "cvv_retention_hours", least=0, most=MAX_CVV_HOURS),
            limits=limits,
        )
        session_id, pin = self._sessions.open(purpose)
        expires = datetime.now(UTC) + timedelta(seconds=limits.pin)
        return pb.OpenSessionResponse(session_id=session_id, pin=pin, pin_expires_at=stamp(expires))

    def WatchSession(self, request: pb.SessionRequest, context: grpc.ServicerContext) -> Iterator[pb.SessionProgress]:
        session_id, agent_id = _whose(request)
        progress = self._sessions.progress(session_id, agent_id)
        while context.is_active():
            yield self._rendered(progress)
            left = current_call().time_left() - _WAY_BACK
            if progress.state is State.ENDED or left <= 0:
                return
            progress = self._sessions.wait(session_id, agent_id, progress.version, min(_BEAT_SECONDS, left))

    def CaptureField(self, request: pb.CaptureFieldRequest, context: grpc.ServicerContext) -> pb.SessionProgress:
        field = _FIELDS.get(request.field)
        if field is None:
            raise InvalidArgument("field says what the client is to key.", field="field")
        return self._rendered(self._sessions.capture(*_whose(request), field))

    def GiveUpField(self, request: pb.SessionRequest, context: grpc.ServicerContext) -> pb.SessionProgress:
        return self._rendered(self._sessions.give_up_field(*_whose(request)))

    def FinishSession(
        self, request: pb.FinishSessionRequest, context: grpc.ServicerContext
    ) -> pb.FinishSessionResponse:
        session_id, agent_id = _whose(request)
        name = one_line(request.cardholder_name, "cardholder_name", longest=_LONGEST_NAME, required=True)
        progress = self._sessions.finish(session_id, agent_id, name)
        stored = self._sessions.stored(session_id, agent_id)
        return pb.FinishSessionResponse(
            card_token=stored.token,
            brand=stored.brand,
            last4=stored.last4,
            cardholder_name=stored.name,
            card_kept_until=stamp(stored.kept_until),
            cvv_kept_until=stamp(stored.cvv_kept_until),
            asked_again=sum(max(0, field.asked - 1) for field in progress.fields.values()),
        )

    def CancelSession(self, request: pb.SessionRequest, context: grpc.ServicerContext) -> pb.SessionProgress:
        return self._rendered(self._sessions.cancel(*_whose(request)))

    def GetReadiness(self, request: pb.GetReadinessRequest, context: grpc.ServicerContext) -> pb.GetReadinessResponse:
        return self._readiness.response(self._sessions.under_way)

    def _rendered(self, progress: Progress) -> pb.SessionProgress:
        return pb.SessionProgress(
            state=str(progress.state),
            fields=[
                pb.FieldProgress(
                    field=_NUMBERS[field],
                    digits=shown.digits,
                    taken=shown.taken,
                    refusal=str(shown.refusal or ""),
                    asked=shown.asked,
                )
                for field, shown in progress.fields.items()
            ],
            open_field=_NUMBERS[progress.open_field] if progress.open_field else pb.PHONE_FIELD_UNSPECIFIED,
            brand=str(progress.brand or ""),
            last4=progress.last4,
            result=str(progress.result or ""),
            seconds_left=round(progress.seconds_left, 1),
            silent=self._silent(),
        )


def _whose(request: pb.SessionRequest | pb.CaptureFieldRequest | pb.FinishSessionRequest) -> tuple[str, str]:
    return identifier(request.session_id, "session_id"), identifier(request.agent_id, "agent_id")
