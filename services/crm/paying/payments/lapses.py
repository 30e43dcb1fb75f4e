"""Which open payments' cards come to the end of the days for which the vault keeps them (M11)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.record import Payment, payment_of
from services.crm.paying.payments.rules import CARD_WAITS, LAPSE_WARNING, PENDING


def unwarned(session: Session, now: datetime, limit: int) -> Sequence[str]:
    """The ids of those whose card lapses within a day and whose agent was not warned."""
    query = select(PaymentRow.id).where(
        PaymentRow.state.in_(PENDING),
        PaymentRow.card_kept_until > now,
        PaymentRow.card_kept_until <= now + LAPSE_WARNING,
        PaymentRow.lapse_warned_at.is_(None),
        PaymentRow.card_removed_at.is_(None),
    )
    return session.scalars(query.limit(limit)).all()


def past_their_date(session: Session, now: datetime, limit: int) -> Sequence[Payment]:
    """Those whose card the vault has kept for as long as it may."""
    query = select(PaymentRow).where(
        PaymentRow.state.in_(CARD_WAITS),
        PaymentRow.card_kept_until <= now,
        PaymentRow.card_removed_at.is_(None),
        PaymentRow.card_token.is_not(None),
    )
    return [payment_of(row) for row in session.scalars(query.limit(limit))]
