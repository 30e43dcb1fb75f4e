"""names that public pages have, or had, and the websites that agents stated

Revision: 0027_page_names, after 0026_phone_storing

Expand only: two tables of their own. The names that are in use are kept at once; those of an older process follow with
the portal's next word.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0027_page_names"
down_revision = "0026_phone_storing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "page_name",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_page_name_agent_id_agent")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_page_name")),
    )
    op.create_index(op.f("ix_page_name_agent_id"), "page_name", ["agent_id"])
    op.create_table(
        "public_page",
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("websites", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_public_page_agent_id_agent")),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_public_page")),
    )
    op.execute(
        "INSERT INTO page_name (name, agent_id, given_at) SELECT page_name, id, updated_at FROM agent"
        " WHERE page_name <> ''"
    )


def downgrade() -> None:
    op.drop_table("public_page")
    op.drop_table("page_name")
