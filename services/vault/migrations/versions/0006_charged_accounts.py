"""Which account at a gateway a charge and a kept card are of

Revision: 0006_charged_accounts, after 0005_gateway_keys

Expand only: columns with a default. What was charged since the present key was entered is of its account; of what is
older it is not known.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006_charged_accounts"
down_revision = "0005_gateway_keys"
branch_labels = None
depends_on = None

_TABLES = ("charges", "mandates")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("account", sa.String(length=64), server_default="", nullable=False))
        op.execute(
            f"""
            UPDATE {table} SET account = COALESCE((
                SELECT present.account FROM gateway_accounts AS present
                WHERE present.agency_id = {table}.agency_id AND present.gateway = {table}.gateway
                AND present.live = {table}.live AND present.set_at <= {table}.made_at
            ), '')
            """
        )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "account")
