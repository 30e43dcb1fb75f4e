"""refunds

Revision: 0006_refunds, after 0005_drafts

Expand only: columns with a default or none.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0006_refunds"
down_revision = "0005_drafts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("refunded_minor", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("refunded_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.drop_column("refunded_at")
        batch_op.drop_column("refunded_minor")
