"""An index by which a supplier's confirmation number finds its payment (C17)

Revision: 0011_find, after 0010_charges. An older program beside this one is not touched by it.
"""

from alembic import op

revision = "0011_find"
down_revision = "0010_charges"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_payment_confirmation", "payment", ["agency_id", "confirmation_number"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_payment_confirmation", table_name="payment")
