"""The audit trail's tables.

`audit_rows` is append-only: triggers refuse UPDATE, DELETE and TRUNCATE on both engines (`GUARDS`, run by the
migration), and on PostgreSQL the application's role has no such right in the first place (`grants_for`).
"""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.vault.orm import Base


class AuditRow(Base):
    """One thing that happened. Written once, never changed."""

    __tablename__ = "audit_rows"
    __table_args__ = (
        CheckConstraint("result IN ('ok', 'refused')", name="result"),
        CheckConstraint("sequence >= 1", name="sequence"),
        Index("ix_audit_rows_card_token_at", "card_token", "at"),
        Index("ix_audit_rows_at", "at"),
    )

    chain_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime())
    action: Mapped[str] = mapped_column(String(64))
    result: Mapped[str] = mapped_column(String(8))
    actor: Mapped[str] = mapped_column(String(200))
    agent_id: Mapped[str] = mapped_column(String(200))
    resource: Mapped[str] = mapped_column(String(200))
    card_token: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(300))
    ip: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300))
    key_id: Mapped[str] = mapped_column(String(40))
    prev_mac: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str] = mapped_column(String(64))


class AuditChain(Base):
    """Where a chain stands and which writer has it. `head_mac` is the last row's MAC, `head_seal` the head's own."""

    __tablename__ = "audit_chains"

    chain_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    head_sequence: Mapped[int] = mapped_column(BigInteger)
    head_mac: Mapped[str] = mapped_column(String(64))
    head_seal: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(40))
    claimed_by: Mapped[str | None] = mapped_column(String(40))
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime())


class AuditKey(Base):
    """The HMAC key of the chains, wrapped by the transit key `sealing`: the database alone can't forge a row."""

    __tablename__ = "audit_keys"

    key_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    wrapped: Mapped[str] = mapped_column(Text)
    key_version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())


_REFUSE_UPDATE = """CREATE TRIGGER IF NOT EXISTS audit_rows_no_update BEFORE UPDATE ON audit_rows
BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END"""
_REFUSE_DELETE = """CREATE TRIGGER IF NOT EXISTS audit_rows_no_delete BEFORE DELETE ON audit_rows
BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END"""
_REFUSAL = """CREATE OR REPLACE FUNCTION audit_rows_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit rows are never changed'; END $$"""
_REFUSE_CHANGE = """CREATE OR REPLACE TRIGGER audit_rows_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_rows
FOR EACH STATEMENT EXECUTE FUNCTION audit_rows_refuse()"""

GUARDS: Final[dict[str, tuple[str, ...]]] = {
    "sqlite": (_REFUSE_UPDATE, _REFUSE_DELETE),
    "postgresql": (_REFUSAL, _REFUSE_CHANGE),
}
"""Statements for the migration, after the tables exist; safe to run again."""


def grants_for(application_role: str) -> tuple[str, ...]:
    """PostgreSQL statements, run by the tables' owner, that leave the application's role insert and read only.

    Raises ValueError for a role name that is not a plain identifier.
    """
    if not application_role.isidentifier():
        raise ValueError("a role's name is letters, digits and underscores")
    return (
        f'REVOKE ALL ON audit_rows FROM "{application_role}"',
        f'GRANT SELECT, INSERT ON audit_rows TO "{application_role}"',
        f'REVOKE DELETE, TRUNCATE ON audit_chains FROM "{application_role}"',
    )
