"""Links that show a trip without an account

Revision: 0007_itineraries, after 0006_refunds
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0007_itineraries"
down_revision = "0006_refunds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "itinerary_links",
        sa.Column("share_id", sa.String(length=64), nullable=False),
        sa.Column("booking_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("with_prices", sa.Boolean(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("share_id", name=op.f("pk_itinerary_links")),
    )


def downgrade() -> None:
    op.drop_table("itinerary_links")
