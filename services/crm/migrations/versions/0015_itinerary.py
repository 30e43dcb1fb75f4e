"""Times, places and notes of a trip's parts; links that share an itinerary

Revision: 0015_itinerary, after 0014_desk_news

Expand only: the code before this one neither reads nor writes column or table.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0015_itinerary"
down_revision = "0014_desk_news"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("segment", sa.Column("travel", sa.JSON(), nullable=True))
    op.create_table(
        "itinerary_share",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("booking_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("with_prices", sa.Boolean(), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_itinerary_share_agency_id_agency")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_itinerary_share_agent_id_agent")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_itinerary_share_booking_id_booking")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_itinerary_share_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_itinerary_share")),
        sa.UniqueConstraint("request_key", "position", name=op.f("uq_itinerary_share_request_key_position")),
    )
    with op.batch_alter_table("itinerary_share", schema=None) as batch_op:
        batch_op.create_index("ix_itinerary_share_booking", ["booking_id", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_itinerary_share_client_id"), ["client_id"], unique=False)


def downgrade() -> None:
    op.drop_table("itinerary_share")
    op.drop_column("segment", "travel")
