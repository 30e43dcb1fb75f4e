"""The masker over gRPC (mTLS by chassis.rpc): maps messages to values and back, and decides nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import grpc

from chassis.rpc import Caller
from chassis.timestamps import moment_of
from protos.wayvault.phone.v1 import phone_pb2 as pb
from protos.wayvault.phone.v1.phone_pb2_grpc import PhoneCaptureStub
from services.crm.paying.phone.rules import Field, Flow

_TIMEOUT: Final = 5.0
_READ_TIMEOUT: Final = 2.0
_FIELDS: Final = {
    pb.PHONE_FIELD_NUMBER: Field.NUMBER,
    pb.PHONE_FIELD_EXPIRY: Field.EXPIRY,
    pb.PHONE_FIELD_CVV: Field.CVV,
}
_NUMBERS: Final = {field: number for number, field in _FIELDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session that waits for its PIN."""

    session_id: str
    pin: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What may be shown of a field."""

    digits: int
    taken: bool
    refusal: str
    asked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What may be shown of a session. `result` is empty while it lasts; `silent`: what does not answer the masker."""

    state: str
    fields: dict[Field, Shown]
    open_field: Field | None
    brand: str
    last4: str
    result: str
    seconds_left: float
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedCard:
    """A card that the vault took."""

    token: str
    brand: str
    last4: str
    name: str
    kept_until: datetime
    cvv_kept_until: datetime | None
    asked_again: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """How the masker is; None = never since it started."""

    started_at: datetime
    kamailio_at: datetime | None
    checked_at: datetime | None
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a session is opened for."""

    agency_id: str
    agent_id: str
    payment_id: str
    desk: str
    card_days: int
    cvv_hours: int
    flow: Flow


class MaskerPort(Protocol):
    """Every method raises chassis.errors.WayvaultError; NotFound: the session is over, with all it held."""

    def open(self, wanted: Session) -> Opened: ...
    def watch(self, session_id: str, agent_id: str, seconds: float) -> Iterator[Progress]: ...
    def capture(self, session_id: str, agent_id: str, field: Field) -> Progress: ...
    def give_up_field(self, session_id: str, agent_id: str) -> Progress: ...
    def finish(self, session_id: str, agent_id: str, name: str) -> KeyedCard: ...
    def cancel(self, session_id: str, agent_id: str) -> Progress: ...
    def readiness(self) -> Readiness: ...


class GrpcMasker:
    """Implements MaskerPort."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._caller = Caller(channel)
        self._stub = PhoneCaptureStub(channel)

    def open(self, wanted: Session) -> Opened:
        request = pb.OpenSessionRequest(
            agency_id=wanted.agency_id,
            agent_id=wanted.agent_id,
            payment_id=wanted.payment_id,
            desk=wanted.desk,
            card_retention_days=wanted.card_days,
            cvv_retention_hours=wanted.cvv_hours,
            field_seconds=wanted.flow.field_seconds,
            idle_seconds=wanted.flow.idle_seconds,
            total_seconds=wanted.flow.total_seconds,
        )
        opened = self._caller.call(self._stub.OpenSession, request, _TIMEOUT)
        return Opened(session_id=opened.session_id, pin=opened.pin, expires_at=moment_of(opened.pin_expires_at))

    def watch(self, session_id: str, agent_id: str, seconds: float) -> Iterator[Progress]:
        request = pb.SessionRequest(session_id=session_id, agent_id=agent_id)
        for progress in self._caller.stream(self._stub.WatchSession, request, seconds):
            yield _progress(progress)

    def capture(self, session_id: str, agent_id: str, field: Field) -> Progress:
        request = pb.CaptureFieldRequest(session_id=session_id, agent_id=agent_id, field=_NUMBERS[field])
        return _progress(self._caller.call(self._stub.CaptureField, request, _TIMEOUT))

    def give_up_field(self, session_id: str, agent_id: str) -> Progress:
        request = pb.SessionRequest(session_id=session_id, agent_id=agent_id)
        return _progress(self._caller.call(self._stub.GiveUpField, request, _TIMEOUT))

    def finish(self, session_id: str, agent_id: str, name: str) -> KeyedCard:
        request = pb.FinishSessionRequest(session_id=session_id, agent_id=agent_id, cardholder_name=name)
        stored = self._caller.call(self._stub.FinishSession, request, 12.0)
        return KeyedCard(
            token=stored.card_token,
            brand=stored.brand,
            last4=stored.last4,
            name=stored.cardholder_name,
            kept_until=moment_of(stored.card_kept_until),
            cvv_kept_until=moment_of(stored.cvv_kept_until) if stored.HasField("cvv_kept_until") else None,
            asked_again=stored.asked_again,
        )

    def cancel(self, session_id: str, agent_id: str) -> Progress:
        request = pb.SessionRequest(session_id=session_id, agent_id=agent_id)
        return _progress(self._caller.call(self._stub.CancelSession, request, _TIMEOUT))

    def readiness(self) -> Readiness:
        found = self._caller.call(self._stub.GetReadiness, pb.GetReadinessRequest(), _READ_TIMEOUT)
        return Readiness(
            started_at=moment_of(found.started_at),
            kamailio_at=moment_of(found.kamailio_at) if found.HasField("kamailio_at") else None,
            checked_at=moment_of(found.checked_at) if found.HasField("checked_at") else None,
            calls=found.calls,
        )


def _progress(message: pb.SessionProgress) -> Progress:
    return Progress(
        state=message.state,
        fields={
            _FIELDS[each.field]: Shown(digits=each.digits, taken=each.taken, refusal=each.refusal, asked=each.asked)
            for each in message.fields
            if each.field in _FIELDS
        },
        open_field=_FIELDS.get(message.open_field),
        brand=message.brand,
        last4=message.last4,
        result=message.result,
        seconds_left=message.seconds_left,
        silent=tuple(message.silent),
    )
