"""Refunds that another admin has to approve, and refunds that need their agent

Revision: 0020_refund_requests, after 0019_payment_mails

Expand only: a new table, and columns that are empty or have a default.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0020_refund_requests"
down_revision = "0019_payment_mails"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("agency", schema=None) as batch_op:
        batch_op.add_column(sa.Column("refund_limit", sa.Integer(), nullable=True))
    with op.batch_alter_table("payment_refund", schema=None) as batch_op:
        batch_op.add_column(sa.Column("approved_by", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(sa.Column("needs_agent", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.create_index(
            "ix_payment_refund_needs_agent",
            ["agent_id"],
            postgresql_where=sa.text("needs_agent"),
            sqlite_where=sa.text("needs_agent"),
        )
    op.create_table(
        "refund_request",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("payment_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("word", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_refund_request_agency_id_agency")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_refund_request_agent_id_agent")),
        sa.ForeignKeyConstraint(["decided_by"], ["agent.id"], name=op.f("fk_refund_request_decided_by_agent")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_refund_request_payment_id_payment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_request")),
    )
    op.create_index("ix_refund_request_agency", "refund_request", ["agency_id", "requested_at"])
    op.create_index("ix_refund_request_payment", "refund_request", ["payment_id", "requested_at"])
    op.create_index(
        "uq_refund_request_open",
        "refund_request",
        ["payment_id"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
        sqlite_where=sa.text("state = 'requested'"),
    )


def downgrade() -> None:
    op.drop_table("refund_request")
    with op.batch_alter_table("payment_refund", schema=None) as batch_op:
        batch_op.drop_index("ix_payment_refund_needs_agent")
        batch_op.drop_column("needs_agent")
        batch_op.drop_column("approved_by")
    # Not by a batch, which on SQLite would make the table anew, and others refer to it.
    op.drop_column("agency", "refund_limit")
