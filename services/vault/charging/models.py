"""Rows of charging: accounts at gateways, slots for their keys, charges, refunds, mandates. Never a card: only the
token of one."""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.vault.orm import Base


class GatewayAccountRow(Base):
    """An agency's account at its gateway; `cipher` opens to its key, under the transit key `sealing`."""

    __tablename__ = "gateway_accounts"

    agency_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(20))
    live: Mapped[bool]
    cipher: Mapped[str] = mapped_column(Text)
    key_version: Mapped[int]
    set_at: Mapped[datetime] = mapped_column(UtcDateTime())
    # The admin who entered it; empty for the operator.
    set_by: Mapped[str] = mapped_column(String(64), default="", server_default="")
    # The key's last four characters, by which people tell it from another.
    key_hint: Mapped[str] = mapped_column(String(4), default="", server_default="")
    # As the gateway told when the key was checked.
    account: Mapped[str] = mapped_column(String(64), default="", server_default="")
    account_name: Mapped[str] = mapped_column(String(120), default="", server_default="")
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    check_code: Mapped[str] = mapped_column(String(64), default="", server_default="")
    takes_notices: Mapped[bool] = mapped_column(default=False, server_default=false())


class KeyEntryRow(Base):
    """A slot in which one admin may enter their agency's keys, once. `answered_hash`: by which call it was used."""

    __tablename__ = "gateway_key_entries"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    agency_id: Mapped[str] = mapped_column(String(64), index=True)
    agent_id: Mapped[str] = mapped_column(String(64))
    gateway: Mapped[str] = mapped_column(String(20))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime())
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime())
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    answered_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class ChargeRow(Base):
    """A charge that was asked for, and what became of it. State changes are conditional UPDATEs from rules.MOVES."""

    __tablename__ = "charges"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("refunded_minor >= 0 AND refunded_minor <= amount_minor", name="never_more_than_charged"),
        # No payment is charged twice: a second intent beside a standing one can't be written.
        Index(
            "uq_charges_standing_payment",
            "agency_id",
            "payment_id",
            unique=True,
            postgresql_where=text("state IN ('intent', 'asking', 'needs_client', 'succeeded')"),
            sqlite_where=text("state IN ('intent', 'asking', 'needs_client', 'succeeded')"),
        ),
        Index(
            "ix_charges_open",
            "ask_at",
            postgresql_where=text("state IN ('intent', 'asking', 'needs_client')"),
            sqlite_where=text("state IN ('intent', 'asking', 'needs_client')"),
        ),
        Index("ix_charges_payment", "agency_id", "payment_id", "made_at"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    agency_id: Mapped[str] = mapped_column(String(64))
    payment_id: Mapped[str] = mapped_column(String(64))
    card_token: Mapped[str] = mapped_column(String(64))
    agent_id: Mapped[str] = mapped_column(String(64))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    description: Mapped[str] = mapped_column(String(200))
    # Which account at the gateway it is of, as the gateway tells; empty where it did not.
    account: Mapped[str] = mapped_column(String(64), default="", server_default="")
    # Whether the gateway is to keep the card, and the mandate that came of it, or that is charged in place of a card.
    keeps_card: Mapped[bool] = mapped_column(default=False, server_default=false())
    mandate_id: Mapped[str] = mapped_column(String(64), default="", server_default="")
    gateway: Mapped[str] = mapped_column(String(20))
    live: Mapped[bool]
    state: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str] = mapped_column(String(255), default="")
    reason_code: Mapped[str] = mapped_column(String(64), default="")
    client_url: Mapped[str] = mapped_column(Text, default="")
    # What was given back or is being given back.
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime())
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    # When the poller asks next, and how often it has.
    ask_at: Mapped[datetime] = mapped_column(UtcDateTime())
    asked: Mapped[int] = mapped_column(default=0)


class MandateRow(Base):
    """A card that the gateway keeps for later charges. `reference` is of use only together with the account's key."""

    __tablename__ = "mandates"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(64))
    # The card's owner, and the token that it had here.
    agent_id: Mapped[str] = mapped_column(String(64))
    card_token: Mapped[str] = mapped_column(String(64))
    charge_id: Mapped[str] = mapped_column(ForeignKey("charges.id"), unique=True)
    gateway: Mapped[str] = mapped_column(String(20))
    live: Mapped[bool]
    # Of the charge that it came of.
    account: Mapped[str] = mapped_column(String(64), default="", server_default="")
    reference: Mapped[str] = mapped_column(String(255))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime())
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime())


class RefundRow(Base):
    """Money on its way back. Its amount is part of the charge's `refunded_minor` unless it failed."""

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_refunds_charge", "charge_id", "made_at"),
        Index("ix_refunds_state", "state", "ask_at"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    charge_id: Mapped[str] = mapped_column(ForeignKey("charges.id"))
    agent_id: Mapped[str] = mapped_column(String(64))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str] = mapped_column(String(255), default="")
    reason_code: Mapped[str] = mapped_column(String(64), default="")
    made_at: Mapped[datetime] = mapped_column(UtcDateTime())
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    ask_at: Mapped[datetime] = mapped_column(UtcDateTime())
    asked: Mapped[int] = mapped_column(default=0)


_OWN: Final = ("gateway_accounts", "gateway_key_entries", "charges", "mandates", "refunds")


def grants_for(charging_role: str) -> tuple[str, ...]:
    """PostgreSQL statements, run by the tables' owner: charging reads cards and the keys that browsers seal
    to, keeps its own tables, and adds to the audit trail; the rest of the vault is closed to it.

    Raises ValueError for a role name that is not a plain identifier.
    """
    if not charging_role.isidentifier():
        raise ValueError("a role's name is letters, digits and underscores")
    return (
        f'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "{charging_role}"',
        f'GRANT USAGE ON SCHEMA public TO "{charging_role}"',
        f'GRANT SELECT ON cards, sealing_keys TO "{charging_role}"',
        *(f'GRANT SELECT, INSERT, UPDATE ON {table} TO "{charging_role}"' for table in _OWN),
        f'GRANT DELETE ON gateway_key_entries TO "{charging_role}"',
        f'GRANT SELECT, INSERT ON audit_rows, audit_keys TO "{charging_role}"',
        f'GRANT SELECT, INSERT, UPDATE ON audit_chains TO "{charging_role}"',
    )


def withdrawals_for(application_role: str) -> tuple[str, ...]:
    """Closes charging's tables to the rest of the vault, but for what rewrapping the gateway keys needs."""
    if not application_role.isidentifier():
        raise ValueError("a role's name is letters, digits and underscores")
    return (
        f'REVOKE ALL ON {", ".join(_OWN)} FROM "{application_role}"',
        f'GRANT SELECT, UPDATE ON gateway_accounts TO "{application_role}"',
    )
