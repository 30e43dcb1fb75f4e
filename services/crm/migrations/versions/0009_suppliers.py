"""The agency's directory of suppliers (C16)

Revision: 0009_suppliers, after 0008_links_overview. An older program beside this one knows nothing of the table.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime
from chassis.typed.names import LONGEST_KEY

revision = "0009_suppliers"
down_revision = "0008_links_overview"
branch_labels = None
depends_on = None

_KEY = sa.String(LONGEST_KEY).with_variant(sa.String(LONGEST_KEY, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "supplier",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_key", _KEY, nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("payment_page", sa.String(length=300), nullable=False),
        sa.Column("brands", sa.String(length=300), nullable=False),
        sa.Column("commission_points", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_supplier_agency_id_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier")),
        sa.UniqueConstraint("agency_id", "name_key", name=op.f("uq_supplier_agency_id_name_key")),
    )


def downgrade() -> None:
    op.drop_table("supplier")
