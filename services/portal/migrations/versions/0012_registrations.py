"""registrations

Revision: 0012_registrations, after 0011_chosen_names

Expand only: a table of its own.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0012_registrations"
down_revision = "0011_chosen_names"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "registrations",
        sa.Column("registration_id", sa.String(length=40), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("registration_id", name=op.f("pk_registrations")),
        sa.UniqueConstraint("request_key", name=op.f("uq_registrations_request_key")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_registrations_token_sha256")),
    )
    op.create_index(op.f("ix_registrations_expires_at"), "registrations", ["expires_at"])


def downgrade() -> None:
    op.drop_table("registrations")
