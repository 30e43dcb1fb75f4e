"""What left a trip's calendar is remembered, so that it goes out once more as cancelled

Revision: 0004_former_days, after 0003_print_later

Expand only: the code before this one neither reads nor writes the column.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_former_days"
down_revision = "0003_print_later"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trips", sa.Column("former_days", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("trips", "former_days")
