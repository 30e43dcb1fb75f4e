"""visits

Revision: 0010_visits, after 0009_standing_orders

Expand only: what a client is asked for at once, its parts and its tokens.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0010_visits"
down_revision = "0009_standing_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "visits",
        sa.Column("visit_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("booking_id", sa.String(length=64), nullable=False),
        sa.Column("booking_title", sa.String(length=200), nullable=False),
        sa.Column("agency", sa.LargeBinary(), nullable=False),
        sa.Column("agent", sa.LargeBinary(), nullable=False),
        sa.Column("client", sa.LargeBinary(), nullable=False),
        sa.Column("issue", sa.Integer(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("look_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("visit_id", name=op.f("pk_visits")),
    )
    op.create_index("ix_visits_client_id", "visits", ["client_id"])
    op.create_index("ix_visits_look_at", "visits", ["look_at"])
    op.create_table(
        "visit_parts",
        sa.Column("part_id", sa.String(length=64), nullable=False),
        sa.Column("visit_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.visit_id"], name=op.f("fk_visit_parts_visit_id_visits")),
        sa.PrimaryKeyConstraint("part_id", name=op.f("pk_visit_parts")),
    )
    op.create_index("ix_visit_parts_visit_id", "visit_parts", ["visit_id"])
    op.create_table(
        "visit_tokens",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("visit_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.visit_id"], name=op.f("fk_visit_tokens_visit_id_visits")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_visit_tokens")),
    )
    op.create_index("ix_visit_tokens_visit_id", "visit_tokens", ["visit_id"])


def downgrade() -> None:
    op.drop_table("visit_tokens")
    op.drop_table("visit_parts")
    op.drop_table("visits")
