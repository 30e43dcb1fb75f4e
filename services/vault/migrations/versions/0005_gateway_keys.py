"""gateway keys

Revision: 0005_gateway_keys, after 0004_keyed_cards

Expand only: what an admin reads of their gateway's key, and the slots in which they enter one. Older code sets keys of
which nothing more is known.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0005_gateway_keys"
down_revision = "0004_keyed_cards"
branch_labels = None
depends_on = None

_TEXTS = {"set_by": 64, "key_hint": 4, "account": 64, "account_name": 120, "check_code": 64}


def upgrade() -> None:
    op.create_table(
        "gateway_key_entries",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("gateway", sa.String(length=20), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("answered_hash", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_key_entries")),
        sa.UniqueConstraint("request_hash", name=op.f("uq_gateway_key_entries_request_hash")),
    )
    op.create_index(op.f("ix_gateway_key_entries_agency_id"), "gateway_key_entries", ["agency_id"])
    for name, length in _TEXTS.items():
        op.add_column("gateway_accounts", sa.Column(name, sa.String(length=length), server_default="", nullable=False))
    op.add_column("gateway_accounts", sa.Column("checked_at", UtcDateTime(), nullable=True))
    op.add_column(
        "gateway_accounts", sa.Column("takes_notices", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    for name in (*_TEXTS, "checked_at", "takes_notices"):
        op.drop_column("gateway_accounts", name)
    op.drop_table("gateway_key_entries")
