"""The days on which cards lapse whose payments were not closed, for the calendar (M11)."""

from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.crm.core.days import Asked, DayKind, DayLine, Lines
from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.record import payment_of
from services.crm.paying.payments.rules import PENDING

# More than are shown of one page.
_MOST: Final = 500


def card_lapses(session: Session, asked: Asked) -> Lines:
    """Pending payments whose card the vault deletes on these days, by the reader's clock."""
    query = (
        select(PaymentRow)
        .where(
            PaymentRow.state.in_(PENDING),
            PaymentRow.agent_id.in_(asked.agent_ids),
            PaymentRow.card_kept_until >= datetime.combine(asked.first, time(), asked.zone),
            PaymentRow.card_kept_until < datetime.combine(asked.last + timedelta(days=1), time(), asked.zone),
            PaymentRow.card_removed_at.is_(None),
        )
        .order_by(PaymentRow.card_kept_until, PaymentRow.id)
    )
    lines, counts = [], dict[date, int]()
    for payment in map(payment_of, session.scalars(query.limit(_MOST))):
        if payment.card_kept_until is None:
            continue
        on = payment.card_kept_until.astimezone(asked.zone).date()
        counts[on] = counts.get(on, 0) + 1
        if counts[on] <= asked.most:
            detail = f"{payment.amount.format()}, {payment.booking_title}"
            lines.append(
                DayLine(
                    on=on,
                    kind=DayKind.LAPSE,
                    thing_id=payment.id,
                    title=payment.payer_name,
                    detail=detail,
                    agent_id=payment.agent_id,
                )
            )
    return Lines(lines=lines, counts=counts)
