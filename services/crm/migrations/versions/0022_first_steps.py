"""First steps of an agency, its community and Quick Sheet

Revision: 0022_first_steps, after 0021_public_pages
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0022_first_steps"
down_revision = "0021_public_pages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "first_step",
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_first_step_agency_id_agency")),
        sa.PrimaryKeyConstraint("agency_id", "step", name=op.f("pk_first_step")),
    )
    op.create_table(
        "handout",
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("community_url", sa.String(length=300), nullable=False),
        sa.Column("sheet_sha256", sa.String(length=64), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sheet", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_handout_agency_id_agency")),
        sa.PrimaryKeyConstraint("agency_id", name=op.f("pk_handout")),
    )


def downgrade() -> None:
    op.drop_table("handout")
    op.drop_table("first_step")
