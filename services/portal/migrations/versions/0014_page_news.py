"""News for open pages

Revision: 0014_page_news, after 0013_test_mode

Expand only: a table of its own. While code of the release before runs it only stays empty.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014_page_news"
down_revision = "0013_test_mode"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "page_news",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_news")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("page_news", schema=None) as batch_op:
        batch_op.create_index(op.f("ix_page_news_about"), ["about"], unique=False)


def downgrade() -> None:
    op.drop_table("page_news")
