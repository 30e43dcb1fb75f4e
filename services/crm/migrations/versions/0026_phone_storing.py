"""What a phone payment was about to store when the CRM died

Revision: 0026_phone_storing, after 0025_latin_spellings

Expand only: a column that may be empty, one with a default, and an index.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0026_phone_storing"
down_revision = "0025_latin_spellings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("phone_call", sa.Column("storing_at", UtcDateTime(), nullable=True))
    op.add_column("phone_call", sa.Column("holder", sa.Text(), server_default="", nullable=False))
    op.create_index(
        "ix_phone_call_storing", "phone_call", ["storing_at"], postgresql_where=sa.text("storing_at IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_phone_call_storing", table_name="phone_call")
    op.drop_column("phone_call", "holder")
    op.drop_column("phone_call", "storing_at")
