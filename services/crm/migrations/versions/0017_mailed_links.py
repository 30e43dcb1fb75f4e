"""mailed links of charges

Revision: 0017_mailed_links, after 0016_whom_mail_missed

Expand only: a column with a default.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017_mailed_links"
down_revision = "0016_whom_mail_missed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("payment_charge", schema=None) as batch_op:
        batch_op.add_column(sa.Column("mailed_url", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("payment_charge", schema=None) as batch_op:
        batch_op.drop_column("mailed_url")
