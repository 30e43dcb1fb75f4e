"""charging

Revision: 0002_charging, after 0001_initial

Expand only: three new tables; nothing that runs knows them before.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0002_charging"
down_revision = "0001_initial"
branch_labels = None
depends_on = None

_STANDING = sa.text("state IN ('intent', 'asking', 'needs_client', 'succeeded')")
_OPEN = sa.text("state IN ('intent', 'asking', 'needs_client')")


def upgrade() -> None:
    op.create_table(
        "gateway_accounts",
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("cipher", sa.Text(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("agency_id", name=op.f("pk_gateway_accounts")),
    )
    op.create_table(
        "charges",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("payment_id", sa.String(length=64), nullable=False),
        sa.Column("card_token", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=255), nullable=False),
        sa.Column("reason_code", sa.String(length=64), nullable=False),
        sa.Column("client_url", sa.Text(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("ask_at", UtcDateTime(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_charges_amount")),
        sa.CheckConstraint(
            "refunded_minor >= 0 AND refunded_minor <= amount_minor", name=op.f("ck_charges_never_more_than_charged")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charges")),
        sa.UniqueConstraint("request_hash", name=op.f("uq_charges_request_hash")),
    )
    op.create_index("ix_charges_payment", "charges", ["agency_id", "payment_id", "made_at"])
    op.create_index("ix_charges_open", "charges", ["ask_at"], postgresql_where=_OPEN, sqlite_where=_OPEN)
    op.create_index(
        "uq_charges_standing_payment",
        "charges",
        ["agency_id", "payment_id"],
        unique=True,
        postgresql_where=_STANDING,
        sqlite_where=_STANDING,
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("charge_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=255), nullable=False),
        sa.Column("reason_code", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("ask_at", UtcDateTime(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(["charge_id"], ["charges.id"], name=op.f("fk_refunds_charge_id_charges")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("request_hash", name=op.f("uq_refunds_request_hash")),
    )
    op.create_index("ix_refunds_charge", "refunds", ["charge_id", "made_at"])
    op.create_index("ix_refunds_state", "refunds", ["state", "ask_at"])


def downgrade() -> None:
    op.drop_table("refunds")
    op.drop_table("charges")
    op.drop_table("gateway_accounts")
