"""What is due on a trip is found by the trip

Revision: 0036_dues_of_trips, after 0035_calendar_feeds

Expand only: an index. The first page looked through all that was ever due by day (two seconds with 100,000 trips).
"""

from alembic import op

revision = "0036_dues_of_trips"
down_revision = "0035_calendar_feeds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_instalment_booking", "instalment", ["booking_id", "due_on"])


def downgrade() -> None:
    op.drop_index("ix_instalment_booking", table_name="instalment")
