"""What became of the e-mails about a payment, for the dispute pack

Revision: 0019_payment_mails, after 0018_imports
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0019_payment_mails"
down_revision = "0018_imports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_mail",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("payment_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("problem", sa.String(length=300), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_payment_mail_agency_id_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_mail")),
    )
    op.create_index(op.f("ix_payment_mail_payment_id"), "payment_mail", ["payment_id"])


def downgrade() -> None:
    op.drop_table("payment_mail")
