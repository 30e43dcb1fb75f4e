"""Views of lists that agents keep under a name

Revision: 0031_saved_views, after 0030_exact_states

Expand only: a new table.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0031_saved_views"
down_revision = "0030_exact_states"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("list_name", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=500), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_saved_view_agency_id_agency")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_saved_view_agent_id_agent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("agent_id", "list_name", "name", name=op.f("uq_saved_view_agent_id_list_name_name")),
    )


def downgrade() -> None:
    op.drop_table("saved_view")
