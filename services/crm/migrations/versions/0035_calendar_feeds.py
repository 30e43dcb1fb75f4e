"""Addresses under which other calendars read an agent's days

Revision: 0035_calendar_feeds, after 0034_charge_modes

Expand only: a new table.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0035_calendar_feeds"
down_revision = "0034_charge_modes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("gone", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("counted_from", UtcDateTime(), nullable=False),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("last_read_at", UtcDateTime(), nullable=True),
        sa.Column("last_reader", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_calendar_feed_agent_id_agent")),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_calendar_feed_token_sha256")),
    )


def downgrade() -> None:
    op.drop_table("calendar_feed")
