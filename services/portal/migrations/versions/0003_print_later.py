"""signed documents keep a record and are printed later

Revision: 0003_print_later, after 0002_reported_payments
"""

import sqlalchemy as sa
from alembic import op

from chassis.db import UtcDateTime

revision = "0003_print_later"
down_revision = "0002_reported_payments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What was signed before has its PDF and its hash already, and needs no record.
    with op.batch_alter_table("signed_documents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("record", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("record_sha256", sa.String(length=64), server_default="", nullable=False))
    op.create_table(
        "print_jobs",
        sa.Column("document_id", sa.String(length=40), nullable=False),
        sa.Column("event_type", sa.String(length=60), nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.Column("aggregate_id", sa.String(length=64), nullable=False),
        sa.Column("agency_id", sa.String(length=64), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["signed_documents.document_id"],
            name=op.f("fk_print_jobs_document_id_signed_documents"),
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_print_jobs")),
    )
    with op.batch_alter_table("print_jobs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_print_jobs_due_at"), ["due_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("print_jobs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_print_jobs_due_at"))
    op.drop_table("print_jobs")
    with op.batch_alter_table("signed_documents", schema=None) as batch_op:
        batch_op.drop_column("record_sha256")
        batch_op.drop_column("record")
