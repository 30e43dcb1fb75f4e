"""Indexes for the overview of links (C14)

Revision: 0008_links_overview, after 0007_instalments. An older program beside this one is not touched by them.
"""

from alembic import op

revision = "0008_links_overview"
down_revision = "0007_instalments"
branch_labels = None
depends_on = None

_INDEXES = tuple(
    (f"ix_payment_link_{whose}_{order}", [f"{whose}_id", *columns, "created_at", "id"])
    for whose in ("agent", "agency")
    for order, columns in (("created", ()), ("state", ("state",)))
)


def upgrade() -> None:
    for name, columns in _INDEXES:
        op.create_index(name, "payment_link", columns, unique=False)


def downgrade() -> None:
    for name, _ in _INDEXES:
        op.drop_index(name, table_name="payment_link")
