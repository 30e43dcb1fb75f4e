"""Room for what was typed when a session had ended

Revision: 0006_drafts, after 0005_names_in_order
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0006_drafts"
down_revision = "0005_names_in_order"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "web_drafts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("back", sa.String(length=500), nullable=False),
        sa.Column("action", sa.String(length=500), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("kept_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_drafts")),
    )
    op.create_index("ix_web_drafts_subject", "web_drafts", ["subject"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_web_drafts_subject", table_name="web_drafts")
    op.drop_table("web_drafts")
