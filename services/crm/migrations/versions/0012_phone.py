"""payments by phone

Revision: 0012_phone, after 0011_find
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0012_phone"
down_revision = "0011_find"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "phone_call",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("payment_id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("asked_again", sa.Integer(), nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("consented_at", UtcDateTime(), nullable=False),
        sa.Column("sign_request_id", sa.String(length=64), nullable=False),
        sa.Column("signature_problem", sa.String(length=300), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("tied_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_phone_call_agency_id_agency")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_phone_call_agent_id_agent")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_phone_call_payment_id_payment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_call")),
        sa.UniqueConstraint("session_id", name=op.f("uq_phone_call_session_id")),
    )
    with op.batch_alter_table("phone_call", schema=None) as batch_op:
        batch_op.create_index("ix_phone_call_agency", ["agency_id", "started_at", "id"], unique=False)
        batch_op.create_index("ix_phone_call_agent", ["agent_id", "started_at", "id"], unique=False)
        batch_op.create_index("ix_phone_call_open", ["result", "started_at"], unique=False)
        batch_op.create_index("ix_phone_call_payment", ["payment_id", "started_at"], unique=False)
    op.create_table(
        "phone_flow",
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("field_order", sa.String(length=40), nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("field_seconds", sa.Integer(), nullable=False),
        sa.Column("idle_seconds", sa.Integer(), nullable=False),
        sa.Column("total_seconds", sa.Integer(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_phone_flow_agency_id_agency")),
        sa.PrimaryKeyConstraint("agency_id", name=op.f("pk_phone_flow")),
    )
    op.create_table(
        "phone_desk",
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("extension", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_phone_desk_agent_id_agent")),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_phone_desk")),
    )
    # In place: a batch would make SQLite's table anew, which rows that refer to its payments forbid.
    op.add_column("payment", sa.Column("by_phone", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.drop_column("by_phone")
    op.drop_table("phone_desk")
    op.drop_table("phone_flow")
    op.drop_table("phone_call")
