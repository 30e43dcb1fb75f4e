"""The trail's port over gRPC. Maps messages to values and back."""

from typing import Final

import grpc

from chassis.rpc import Caller
from chassis.timestamps import moment_of, stamp
from protos.wayvault.vault.v1 import vault_pb2 as vault
from protos.wayvault.vault.v1.vault_pb2_grpc import AuditReaderStub
from services.crm.core.ports.vault import AccessEntry, Origin
from services.crm.office.audit.port import TrailPage, TrailRow, Wanted

_TIMEOUT: Final = 5.0


class GrpcTrail:
    """Implements TrailPort. The channel opens at the first call of each process."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._caller = Caller(channel)
        self._reader = AuditReaderStub(channel)

    def page(self, agency_id: str, wanted: Wanted, *, limit: int, after: str) -> TrailPage:
        request = vault.ListAgencyAuditRequest(
            agency_id=agency_id,
            agent_id=wanted.agent_id,
            payment_id=wanted.payment_id,
            action=wanted.action,
            refused_only=wanted.refused_only,
            since=stamp(wanted.since),
            until=stamp(wanted.until),
            limit=limit,
            after=after,
        )
        answer = self._caller.call(self._reader.ListAgencyAudit, request, timeout=_TIMEOUT)
        return TrailPage(
            rows=tuple(_row(row) for row in answer.rows),
            next=answer.next,
            chains=answer.chains,
            chains_broken=answer.chains_broken,
        )


def _row(row: vault.AgencyAuditRow) -> TrailRow:
    entry = AccessEntry(
        at=moment_of(row.at),
        action=row.action,
        ok=row.result == "ok",
        actor=row.actor,
        reason=row.reason,
        origin=Origin(ip=row.origin.ip, user_agent=row.origin.user_agent),
    )
    return TrailRow(
        entry=entry, payment_id=row.payment_id, chain_id=row.chain_id, sequence=row.sequence, intact=row.intact
    )
