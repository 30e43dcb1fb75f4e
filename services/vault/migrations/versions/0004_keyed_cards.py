"""In which phone session a card was keyed

Revision: 0004_keyed_cards, after 0003_mandates

Expand only: columns that older code leaves empty, and an index over those that are not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_keyed_cards"
down_revision = "0003_mandates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("intakes", sa.Column("keyed_in", sa.String(length=64), nullable=True))
    op.add_column("cards", sa.Column("keyed_in", sa.String(length=64), nullable=True))
    op.create_index("ix_cards_keyed_in", "cards", ["keyed_in"], postgresql_where=sa.text("keyed_in IS NOT NULL"))


def downgrade() -> None:
    op.drop_index("ix_cards_keyed_in", table_name="cards")
    op.drop_column("cards", "keyed_in")
    op.drop_column("intakes", "keyed_in")
