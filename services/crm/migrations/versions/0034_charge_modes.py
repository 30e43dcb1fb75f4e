"""Whether real money moves: of a payment that the gateway charged, of a standing order

Revision: 0034_charge_modes, after 0033_similar_rows

Expand only: columns without a value where it is not known. What was charged says it already.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034_charge_modes"
down_revision = "0033_similar_rows"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not by a batch, which on SQLite would make the tables anew, and others refer to them.
    op.add_column("payment", sa.Column("charged_live", sa.Boolean(), nullable=True))
    op.add_column("standing_order", sa.Column("live", sa.Boolean(), nullable=True))
    op.execute(
        """
        UPDATE payment SET charged_live = (
            SELECT charge.live FROM payment_charge AS charge
            WHERE charge.payment_id = payment.id AND charge.state IN ('needs_client', 'succeeded')
        )
        WHERE id IN (SELECT payment_id FROM payment_charge)
        """
    )
    op.execute(
        """
        UPDATE standing_order SET live = (
            SELECT charge.live FROM payment_charge AS charge
            JOIN standing_order_payment AS day ON day.payment_id = charge.payment_id
            WHERE day.order_id = standing_order.id AND charge.charge_id <> ''
            ORDER BY charge.asked_at DESC LIMIT 1
        )
        """
    )


def downgrade() -> None:
    op.drop_column("standing_order", "live")
    op.drop_column("payment", "charged_live")
