"""standing orders

Revision: 0009_standing_orders, after 0008_told_names

Expand only: standing orders as the CRM tells of them.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0009_standing_orders"
down_revision = "0008_told_names"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "standing_orders",
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("context", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.Column("card_brand", sa.String(length=20), nullable=False),
        sa.Column("card_last4", sa.String(length=4), nullable=False),
        sa.Column("can_change_card", sa.Boolean(), nullable=False),
        sa.Column("other_card_from", sa.Date(), nullable=True),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        sa.Column("cancel_asked_at", UtcDateTime(), nullable=True),
        sa.Column("card_asked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_standing_orders")),
    )
    op.create_index("ix_standing_orders_client_id", "standing_orders", ["client_id"])


def downgrade() -> None:
    op.drop_table("standing_orders")
