"""several copies

Revision: 0003_several_copies, after 0002_reminders_before_travel

Expand only: the files of a mail that has several.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003_several_copies"
down_revision = "0002_reminders_before_travel"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("copies", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("deliveries") as batch_op:
        batch_op.drop_column("copies")
