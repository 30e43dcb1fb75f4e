"""AuditReader on the wire: parses, calls the service, renders. Caller: the CRM."""

import re
from datetime import datetime
from typing import Final

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import InvalidArgument
from chassis.rpc.fields import identifier, whole_number
from chassis.timestamps import moment_of, stamp
from protos.wayvault.common.v1.common_pb2 import Origin
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc
from services.vault.audit.service import CheckedRow
from services.vault.audit_reader.service import AuditReading, Wanted

MOST_ROWS: Final = 500
_ACTION: Final = re.compile(r"[a-z_]{0,40}\.?[a-z_]{0,40}")


class AuditReaderRpc(vault_pb2_grpc.AuditReaderServicer):
    """See vault.proto."""

    def __init__(self, service: AuditReading) -> None:
        self._service = service

    def ListAgencyAudit(
        self, request: pb.ListAgencyAuditRequest, context: grpc.ServicerContext
    ) -> pb.ListAgencyAuditResponse:
        if not _ACTION.fullmatch(request.action):
            raise InvalidArgument("action is an action's beginning.", field="action")
        wanted = Wanted(
            agency_id=identifier(request.agency_id, "agency_id"),
            agent_id=_maybe_identifier(request.agent_id, "agent_id"),
            payment_id=_maybe_identifier(request.payment_id, "payment_id"),
            action=request.action,
            refused_only=request.refused_only,
            since=_moment(request.since) if request.HasField("since") else None,
            until=_moment(request.until) if request.HasField("until") else None,
        )
        limit = whole_number(request.limit, "limit", least=1, most=MOST_ROWS)
        found = self._service.page(wanted, limit=limit, after=request.after)
        return pb.ListAgencyAuditResponse(
            rows=[_row(row, found.payments) for row in found.page.rows],
            next=found.page.next,
            chains=found.chains.chains,
            chains_broken=found.chains.broken,
        )


def _row(row: CheckedRow, payments: dict[str, str]) -> pb.AgencyAuditRow:
    record, entry = row.record, row.record.entry
    return pb.AgencyAuditRow(
        at=stamp(record.at),
        action=entry.action,
        result=entry.result,
        # As ListAccess: whose eyes it was for, where an agent is named.
        actor=entry.actor if entry.actor == "operator" else entry.agent_id or entry.actor,
        reason=entry.reason,
        origin=Origin(ip=entry.ip, user_agent=entry.user_agent),
        payment_id=payments.get(entry.card_token or "", ""),
        chain_id=record.chain_id,
        sequence=record.sequence,
        intact=row.intact,
    )


def _maybe_identifier(value: str, field: str) -> str:
    return identifier(value, field) if value else ""


def _moment(sent: Timestamp) -> datetime:
    try:
        return moment_of(sent)
    except (ValueError, OverflowError):
        raise InvalidArgument("since and until are moments.", field="since") from None
