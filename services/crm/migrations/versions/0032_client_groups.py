"""Companies and households that clients belong to (issue 11)

Revision: 0032_client_groups, after 0031_saved_views

Expand only: two new tables.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime
from chassis.typed.names import LONGEST_KEY

revision = "0032_client_groups"
down_revision = "0031_saved_views"
branch_labels = None
depends_on = None

_KEY = sa.String(LONGEST_KEY).with_variant(sa.String(LONGEST_KEY, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "client_group",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_key", _KEY, nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("website", sa.String(length=300), nullable=False),
        sa.Column("tax_id", sa.String(length=40), nullable=False),
        sa.Column("billing_name", sa.String(length=120), nullable=False),
        sa.Column("billing_email", sa.String(length=254), nullable=False),
        sa.Column("street", sa.String(length=200), nullable=False),
        sa.Column("city", sa.String(length=100), nullable=False),
        sa.Column("region", sa.String(length=100), nullable=False),
        sa.Column("postal_code", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("import_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_client_group_agency_id_agency")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_client_group_agent_id_agent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_group")),
        sa.UniqueConstraint("agent_id", "kind", "name_key", name=op.f("uq_client_group_agent_id_kind_name_key")),
    )
    op.create_index("ix_client_group_agent_name", "client_group", ["agent_id", "name_key", "id"])
    op.create_index("ix_client_group_agency_name", "client_group", ["agency_id", "name_key", "id"])
    op.create_table(
        "client_group_member",
        sa.Column("group_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("import_id", sa.String(length=64), nullable=True),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["client_group.id"],
            name=op.f("fk_client_group_member_group_id_client_group"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_client_group_member_client_id_client")),
        sa.PrimaryKeyConstraint("group_id", "client_id", name=op.f("pk_client_group_member")),
    )
    op.create_index(op.f("ix_client_group_member_client_id"), "client_group_member", ["client_id"])
    op.create_index(op.f("ix_client_group_member_import_id"), "client_group_member", ["import_id"])


def downgrade() -> None:
    op.drop_table("client_group_member")
    op.drop_table("client_group")
