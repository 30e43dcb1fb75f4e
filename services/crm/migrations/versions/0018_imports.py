"""Client lists that are brought in, and what each brought

Revision: 0018_imports, after 0017_mailed_links
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0018_imports"
down_revision = "0017_mailed_links"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "client_import",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("layout", sa.JSON(), nullable=False),
        sa.Column("reading", sa.JSON(), nullable=False),
        sa.Column("policies", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("examples", sa.JSON(), nullable=False),
        sa.Column("problem", sa.String(length=300), nullable=False),
        sa.Column("lease", sa.String(length=64), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_client_import_agency_id_agency")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_client_import_agent_id_agent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_import")),
    )
    with op.batch_alter_table("client_import", schema=None) as batch_op:
        batch_op.create_index("ix_client_import_agent", ["agent_id", "created_at"], unique=False)
        batch_op.create_index("ix_client_import_state", ["state", "lease_until"], unique=False)
    op.create_table(
        "client_import_item",
        sa.Column("import_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["client_import.id"],
            name=op.f("fk_client_import_item_import_id_client_import"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("import_id", "client_id", name=op.f("pk_client_import_item")),
    )


def downgrade() -> None:
    op.drop_table("client_import_item")
    op.drop_table("client_import")
