"""refunds

Revision: 0013_refunds, after 0012_phone

Expand only: a new table, and a column with a default.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0013_refunds"
down_revision = "0012_phone"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("refunded_minor", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "payment_refund",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("payment_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("charge_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("refund_id", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("problem", sa.String(length=300), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("check_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_payment_refund_agency_id_agency")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payment_refund_payment_id_payment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_refund")),
        sa.UniqueConstraint("payment_id", "number", name=op.f("uq_payment_refund_payment_id_number")),
    )
    op.create_index(op.f("ix_payment_refund_agency_id"), "payment_refund", ["agency_id"])
    op.create_index("ix_payment_refund_open", "payment_refund", ["check_at"])


def downgrade() -> None:
    op.drop_index("ix_payment_refund_open", table_name="payment_refund")
    op.drop_index(op.f("ix_payment_refund_agency_id"), table_name="payment_refund")
    op.drop_table("payment_refund")
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.drop_column("refunded_minor")
