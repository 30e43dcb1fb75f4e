"""visits

Revision: 0029_visits, after 0028_notice_days

Expand only: what a client is asked for at once, and in which visit a link, a document or an offer was asked for.
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0029_visits"
down_revision = "0028_notice_days"
branch_labels = None
depends_on = None

_PARTS = ("payment_link", "esign_request", "insurance_offer")


def upgrade() -> None:
    op.create_table(
        "visit",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=False),
        sa.Column("booking_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("issue", sa.Integer(), nullable=False),
        sa.Column("delivery_problem", sa.String(length=300), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("booking_title", sa.String(length=160), nullable=False),
        sa.Column("passenger_name", sa.String(length=170), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_visit_agency_id_agency")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_visit_agent_id_agent")),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_visit_booking_id_booking")),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_visit_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("request_key", name=op.f("uq_visit_request_key")),
    )
    op.create_index("ix_visit_agency", "visit", ["agency_id", "created_at"])
    op.create_index("ix_visit_agent", "visit", ["agent_id", "created_at"])
    op.create_index("ix_visit_booking", "visit", ["booking_id", "created_at"])
    op.create_index("ix_visit_client_id", "visit", ["client_id"])
    op.create_index("ix_visit_state_expiry", "visit", ["state", "expires_at"])
    for table in _PARTS:
        op.add_column(table, sa.Column("visit_id", sa.String(length=64), server_default="", nullable=False))
        op.create_index(f"ix_{table}_visit_id", table, ["visit_id"])


def downgrade() -> None:
    for table in _PARTS:
        op.drop_index(f"ix_{table}_visit_id", table_name=table)
        op.drop_column(table, "visit_id")
    op.drop_table("visit")
