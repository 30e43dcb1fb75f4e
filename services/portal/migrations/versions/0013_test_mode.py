"""Payments that the agency's gateway charged in its test mode

Revision: 0013_test_mode, after 0012_registrations

Expand only: a column with a default.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013_test_mode"
down_revision = "0012_registrations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payments", sa.Column("test_mode", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("payments", "test_mode")
