"""Rows of an import that look like somebody, what was decided of them, and what an undo left (C15)

Revision: 0033_similar_rows, after 0032_client_groups

Expand only: a new table, and columns that an older program leaves empty.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033_similar_rows"
down_revision = "0032_client_groups"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "client_import_pair",
        sa.Column("import_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=170), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("likeness", sa.String(length=8), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("earlier", sa.JSON(), nullable=False),
        sa.Column("differs", sa.String(length=120), nullable=False),
        sa.Column("decision", sa.String(length=8), nullable=False),
        sa.Column("sides", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["client_import.id"],
            name=op.f("fk_client_import_pair_import_id_client_import"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("import_id", "place", name=op.f("pk_client_import_pair")),
    )
    op.create_index("ix_client_import_pair_differs", "client_import_pair", ["import_id", "differs", "place"])
    op.add_column("client_import_item", sa.Column("after", sa.JSON(none_as_null=True), nullable=True))
    op.add_column(
        "client_import_item", sa.Column("kept_fields", sa.String(length=200), server_default="", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("client_import_item", "kept_fields")
    op.drop_column("client_import_item", "after")
    op.drop_table("client_import_pair")
