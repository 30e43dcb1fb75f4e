"""mandates

Revision: 0003_mandates, after 0002_charging

Expand only: cards that gateways keep for standing orders, and what a charge has to do with one. Older code makes
charges that keep nothing.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0003_mandates"
down_revision = "0002_charging"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mandates",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("card_token", sa.String(length=64), nullable=False),
        sa.Column("charge_id", sa.String(length=64), nullable=False),
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("reference", sa.String(length=255), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["charge_id"], ["charges.id"], name=op.f("fk_mandates_charge_id_charges")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandates")),
        sa.UniqueConstraint("charge_id", name=op.f("uq_mandates_charge_id")),
    )
    op.add_column("charges", sa.Column("keeps_card", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("charges", sa.Column("mandate_id", sa.String(length=64), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("charges", "mandate_id")
    op.drop_column("charges", "keeps_card")
    op.drop_table("mandates")
