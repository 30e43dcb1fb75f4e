"""news for open pages

Revision: 0014_desk_news, after 0013_refunds
"""

import sqlalchemy as sa
from alembic import op

revision = "0014_desk_news"
down_revision = "0013_refunds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "desk_news",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_news")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("desk_news", schema=None) as batch_op:
        batch_op.create_index(op.f("ix_desk_news_agent_id"), ["agent_id"], unique=False)


def downgrade() -> None:
    op.drop_table("desk_news")
