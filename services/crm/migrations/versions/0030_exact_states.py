"""Payments' states that the last release does not know stand in a column of their own

Revision: 0030_exact_states, after 0029_visits

Expand: `state` says from here on what every release knows (payments/rules.FORMER). No release wrote another; what a
version between two releases wrote is put right.
Contract, in a later release, when no process of 0.1.0 can run any more: write the exact state into `state`, and drop the
column.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030_exact_states"
down_revision = "0029_visits"
branch_labels = None
depends_on = None

_FORMER = {"scheduled": "authorized", "reported": "revoked", "declined": "voided", "reversed": "voided"}


def upgrade() -> None:
    # Not by a batch, which on SQLite would make the table anew, and others refer to it.
    op.add_column("payment", sa.Column("state_now", sa.String(length=16), nullable=True))
    for exact, former in _FORMER.items():
        op.execute(f"UPDATE payment SET state = '{former}', state_now = '{exact}' WHERE state = '{exact}'")


def downgrade() -> None:
    for exact, former in _FORMER.items():
        op.execute(f"UPDATE payment SET state = '{exact}' WHERE state = '{former}' AND state_now = '{exact}'")
    op.drop_column("payment", "state_now")
