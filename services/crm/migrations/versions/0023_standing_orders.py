"""standing orders

Revision: 0023_standing_orders, after 0022_first_steps

Expand only: standing orders, which payments are theirs, the cards that gateways are to forget; and what a charge tells of
a card that the gateway keeps.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0023_standing_orders"
down_revision = "0022_first_steps"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "standing_order",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("booking_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=False),
        sa.Column("context", sa.LargeBinary(), nullable=False),
        sa.Column("payer_name", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("every", sa.String(length=16), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("notice_days", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("day_index", sa.Integer(), nullable=False),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.String(length=64), nullable=True),
        sa.Column("charge_on", sa.Date(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("heard_key", sa.String(length=64), nullable=False),
        sa.Column("mandate_id", sa.String(length=64), nullable=False),
        sa.Column("card_brand", sa.String(length=20), nullable=False),
        sa.Column("card_last4", sa.String(length=4), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("act_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_standing_order_agency_id_agency")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_standing_order_agent_id_agent")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_standing_order_booking_id_booking")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_standing_order_client_id_client")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_standing_order_payment_id_payment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_order")),
        sa.UniqueConstraint("request_key", name=op.f("uq_standing_order_request_key")),
    )
    op.create_index("ix_standing_order_act_at", "standing_order", ["act_at"])
    op.create_index("ix_standing_order_agency", "standing_order", ["agency_id", "created_at", "id"])
    op.create_index("ix_standing_order_agent", "standing_order", ["agent_id", "created_at", "id"])
    op.create_index("ix_standing_order_booking_id", "standing_order", ["booking_id"])
    op.create_index("ix_standing_order_client_id", "standing_order", ["client_id"])
    op.create_index("ix_standing_order_payment_id", "standing_order", ["payment_id"])

    op.create_table(
        "standing_order_old_mandate",
        sa.Column("mandate_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("try_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_standing_order_old_mandate_agency_id_agency")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["standing_order.id"], name=op.f("fk_standing_order_old_mandate_order_id_standing_order")
        ),
        sa.PrimaryKeyConstraint("mandate_id", name=op.f("pk_standing_order_old_mandate")),
    )
    op.create_index("ix_standing_order_old_mandate_try_at", "standing_order_old_mandate", ["try_at"])

    op.create_table(
        "standing_order_payment",
        sa.Column("payment_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("day_index", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["standing_order.id"], name=op.f("fk_standing_order_payment_order_id_standing_order")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_standing_order_payment_payment_id_payment")
        ),
        sa.PrimaryKeyConstraint("payment_id", name=op.f("pk_standing_order_payment")),
    )
    op.create_index("ix_standing_order_payment_order", "standing_order_payment", ["order_id"])

    op.add_column("payment", sa.Column("standing_order_id", sa.String(length=64), server_default="", nullable=False))
    with op.batch_alter_table("payment_charge", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reason_code", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(sa.Column("may_pass", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("mandate_id", sa.String(length=64), server_default="", nullable=False))


def downgrade() -> None:
    # Not by a batch, which on SQLite would make the table anew, and others refer to it.
    op.drop_column("payment", "standing_order_id")
    with op.batch_alter_table("payment_charge", schema=None) as batch_op:
        batch_op.drop_column("mandate_id")
        batch_op.drop_column("may_pass")
        batch_op.drop_column("reason_code")

    op.drop_table("standing_order_payment")
    op.drop_table("standing_order_old_mandate")
    op.drop_table("standing_order")
