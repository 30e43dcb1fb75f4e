"""charges of payments

Revision: 0010_charges, after 0009_suppliers

Expand only: one new table; nothing that runs knows it before.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0010_charges"
down_revision = "0009_suppliers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_charge",
        sa.Column("payment_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=False),
        sa.Column("charge_id", sa.String(length=64), nullable=False),
        sa.Column("previous_charge_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("next_step", sa.String(length=300), nullable=False),
        sa.Column("client_url", sa.Text(), nullable=False),
        sa.Column("reference", sa.String(length=255), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("check_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_payment_charge_agency_id_agency")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payment_charge_payment_id_payment")),
        sa.PrimaryKeyConstraint("payment_id", name=op.f("pk_payment_charge")),
        sa.UniqueConstraint("request_key", name=op.f("uq_payment_charge_request_key")),
    )
    op.create_index(op.f("ix_payment_charge_agency_id"), "payment_charge", ["agency_id"])
    op.create_index("ix_payment_charge_open", "payment_charge", ["check_at"])


def downgrade() -> None:
    op.drop_index("ix_payment_charge_open", table_name="payment_charge")
    op.drop_index(op.f("ix_payment_charge_agency_id"), table_name="payment_charge")
    op.drop_table("payment_charge")
