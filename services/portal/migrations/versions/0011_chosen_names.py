"""names that agents chose for their pages, and websites that may show the form

Revision: 0011_chosen_names, after 0010_visits

Expand only: a column with a default, and a table of its own. An older process finds a page by its newest name only.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011_chosen_names"
down_revision = "0010_visits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not by a batch, which on SQLite would make the table anew, and others refer to it.
    op.add_column("agents", sa.Column("websites", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "former_page_names",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.agent_id"], name=op.f("fk_former_page_names_agent_id_agents")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_former_page_names")),
    )
    op.create_index(op.f("ix_former_page_names_agent_id"), "former_page_names", ["agent_id"])


def downgrade() -> None:
    op.drop_table("former_page_names")
    op.drop_column("agents", "websites")
