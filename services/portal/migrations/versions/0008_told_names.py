"""names of public pages that the CRM was told of

Revision: 0008_told_names, after 0007_itineraries

Expand only: a column with a default. Names given before, or by an older process meanwhile, count as not told, and the
worker tells them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008_told_names"
down_revision = "0007_itineraries"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("agents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("slug_told", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("agents", schema=None) as batch_op:
        batch_op.drop_column("slug_told")
