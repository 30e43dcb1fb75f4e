"""short names of public pages

Revision: 0021_public_pages, after 0020_refund_requests

Expand only: a column with a default.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021_public_pages"
down_revision = "0020_refund_requests"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("agent", schema=None) as batch_op:
        batch_op.add_column(sa.Column("page_name", sa.String(length=80), server_default="", nullable=False))


def downgrade() -> None:
    # Not by a batch, which on SQLite would make the table anew, and others refer to it.
    op.drop_column("agent", "page_name")
