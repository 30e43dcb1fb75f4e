"""an agency chooses its paper

Revision: 0003_agency_paper, after 0002_recorded_payments
"""

import sqlalchemy as sa
from alembic import op

revision = "0003_agency_paper"
down_revision = "0002_recorded_payments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("agency", schema=None) as batch_op:
        batch_op.add_column(sa.Column("paper", sa.String(length=10), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("agency", schema=None) as batch_op:
        batch_op.drop_column("paper")
