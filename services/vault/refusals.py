"""Refusals belong in the audit trail: each is written in a transaction of its own, before the caller reads it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy.orm import Session

from chassis import errors
from chassis.db import Database, Write
from chassis.rpc.calls import current_call
from chassis.rpc.fields import clipped
from protos.wayvault.common.v1.common_pb2 import ErrorCode, Origin
from services.vault.audit.service import AuditEntry

# Faults, not decisions: nothing was refused, the caller may simply try again.
_NO_DECISION: Final = (
    errors.Unavailable,
    errors.DeadlineTooShort,
    errors.Busy,
    errors.Internal,
    errors.InvalidArgument,
    errors.IdempotencyMismatch,
)
_ABOUT_THE_CODE: Final = (errors.CodeWrong, errors.CodeLocked, errors.CodeExpired)


class Recorder(Protocol):
    """Where audit rows are written: in the given transaction, or the act does not happen."""

    def record(self, session: Session, entry: AuditEntry) -> object: ...
    def recording(self, session: Session, entries: Sequence[AuditEntry]) -> Sequence[Write]: ...


@dataclass(slots=True, kw_only=True)
class Act:
    """Who is doing what to which card from where; filled in as it becomes known."""

    action: str
    refused_action: str
    origin: Origin
    resource: str
    agent_id: str = ""
    card_token: str | None = None

    def entry(self, reason: str = "", *, action: str = "", resource: str = "") -> AuditEntry:
        """The audit entry of the act, done."""
        return self._entry(action or self.action, reason, resource, refused=False)

    def refusal(self, error: errors.WayvaultError) -> AuditEntry:
        """The audit entry of the act, refused."""
        name = ErrorCode.Name(error.code).removeprefix("ERROR_CODE_")
        action = "code.refused" if isinstance(error, _ABOUT_THE_CODE) else self.refused_action
        return self._entry(action, name, "", refused=True)

    def _entry(self, action: str, reason: str, resource: str, *, refused: bool) -> AuditEntry:
        return AuditEntry(
            action=action,
            result="refused" if refused else "ok",
            actor=current_call().caller,
            agent_id=self.agent_id,
            resource=resource or self.resource,
            card_token=self.card_token,
            reason=reason,
            ip=clipped(self.origin.ip, 64),
            user_agent=clipped(self.origin.user_agent, 300),
        )


class Refusals:
    """Writes them down."""

    def __init__(self, database: Database, trail: Recorder) -> None:
        self._database = database
        self._trail = trail

    @contextmanager
    def audited(self, act: Act) -> Iterator[Act]:
        """Audits a refusal raised in the block. If that can't be written, the caller reads of a fault instead."""
        try:
            yield act
        except errors.WayvaultError as error:
            if not isinstance(error, _NO_DECISION):
                with self._database.transaction() as session:
                    self._trail.record(session, act.refusal(error))
            raise
