"""Whether an agency wants a fresh code before each charge

Revision: 0024_charge_code, after 0023_standing_orders

Expand only: a column with a default.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024_charge_code"
down_revision = "0023_standing_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not by a batch, which on SQLite would make the table anew, and others refer to it.
    op.add_column("agency", sa.Column("charge_code", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("agency", "charge_code")
