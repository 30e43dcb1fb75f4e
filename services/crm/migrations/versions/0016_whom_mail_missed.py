"""whole address and client of e-mails that did not arrive

Revision: 0016_whom_mail_missed, after 0015_itinerary
"""

import sqlalchemy as sa
from alembic import op

revision = "0016_whom_mail_missed"
down_revision = "0015_itinerary"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("mail_failure", schema=None) as batch_op:
        batch_op.add_column(sa.Column("address", sa.String(length=320), server_default="", nullable=False))
        batch_op.add_column(sa.Column("client_id", sa.String(length=64), server_default="", nullable=False))
        batch_op.create_index(op.f("ix_mail_failure_client_id"), ["client_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("mail_failure", schema=None) as batch_op:
        batch_op.drop_index(op.f("ix_mail_failure_client_id"))
        batch_op.drop_column("client_id")
        batch_op.drop_column("address")
