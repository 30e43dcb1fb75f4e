"""PhoneTrail on the wire. Caller: the masker. An act comes once or several times, and is recorded once."""

from typing import Final

import grpc
from sqlalchemy.orm import Session

from chassis.db import Database
from chassis.errors import InvalidArgument
from chassis.rpc import current_call
from chassis.rpc.fields import identifier, one_line
from chassis.rpc.idempotency import CallKey, Idempotency
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc
from services.vault.audit.service import Audit, AuditEntry

# What the masker may say that it did; anything else is no act of its own.
ACTIONS: Final = frozenset({"phone.opened", "phone.pin", "phone.tied", "phone.card", "phone.ended"})


class PhoneTrailRpc(vault_pb2_grpc.PhoneTrailServicer):
    """See vault.proto."""

    def __init__(self, database: Database, trail: Audit, idempotency: Idempotency) -> None:
        self._database = database
        self._trail = trail
        self._idempotency = idempotency

    def RecordPhoneAct(
        self, request: pb.RecordPhoneActRequest, context: grpc.ServicerContext
    ) -> pb.RecordPhoneActResponse:
        key = CallKey.of(request.idempotency_key, request)
        if request.action not in ACTIONS:
            raise InvalidArgument("The masker has no such act.", field="action")
        entry = AuditEntry(
            action=request.action,
            result="refused" if request.refused else "ok",
            actor=current_call().caller,
            agent_id=identifier(request.agent_id, "agent_id") if request.agent_id else "",
            resource=identifier(request.session_id, "session_id") if request.session_id else "call",
            reason=one_line(request.reason, "reason", longest=200),
            user_agent="telephone",
        )

        def write(session: Session) -> pb.RecordPhoneActResponse:
            self._trail.record(session, entry)
            return pb.RecordPhoneActResponse()

        return self._idempotency.once(key, pb.RecordPhoneActResponse, write)
