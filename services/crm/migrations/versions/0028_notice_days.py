"""How many days before each charge of a standing order an agency tells both sides

Revision: 0028_notice_days, after 0027_page_names

Expand only: a column with a default, which is what agents were offered before. Orders keep their own number.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028_notice_days"
down_revision = "0027_page_names"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not by a batch, which on SQLite would make the table anew, and others refer to it.
    op.add_column("agency", sa.Column("notice_days", sa.Integer(), server_default="3", nullable=False))


def downgrade() -> None:
    op.drop_column("agency", "notice_days")
