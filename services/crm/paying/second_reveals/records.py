"""Second reveals as other rooms read and settle them, in the caller's transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.crm.paying.second_reveals.models import SecondRevealRow
from services.crm.paying.second_reveals.rules import SecondState, SecondStatus, status_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondReveal:
    """A second reveal as pages see one."""

    id: str
    payment_id: str
    agency_id: str
    agent_id: str
    status: SecondStatus
    reason: str
    requested_at: datetime
    ends_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    word: str
    used_at: datetime | None


def second_of(row: SecondRevealRow, now: datetime) -> SecondReveal:
    """The value of a row."""
    return SecondReveal(
        id=row.id,
        payment_id=row.payment_id,
        agency_id=row.agency_id,
        agent_id=row.agent_id,
        status=status_of(SecondState(row.state), ends_at=row.ends_at, now=now),
        reason=row.reason,
        requested_at=row.requested_at,
        ends_at=row.ends_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        word=row.word,
        used_at=row.used_at,
    )


def newest(session: Session, payment_id: str, *, lock: bool = False) -> SecondRevealRow | None:
    """The payment's newest second reveal."""
    query = (
        select(SecondRevealRow)
        .where(SecondRevealRow.payment_id == payment_id)
        .order_by(SecondRevealRow.requested_at.desc(), SecondRevealRow.id.desc())
        .limit(1)
    )
    return session.scalars(query.with_for_update() if lock else query).first()


class Approvals:
    """What the reveal room asks about approvals and tells of their use."""

    def stands(self, session: Session, payment_id: str, now: datetime) -> bool:
        """Whether the payment's card may be retrieved once more now."""
        row = newest(session, payment_id)
        return row is not None and second_of(row, now).status is SecondStatus.APPROVED

    def note_used(self, session: Session, payment_id: str, at: datetime) -> bool:
        """Records that the card was shown by the approval. False when that is on record, or there was no approval."""
        row = newest(session, payment_id, lock=True)
        if row is None or row.state != SecondState.APPROVED or row.decided_at is None or at < row.decided_at:
            return False
        row.state, row.used_at = SecondState.USED, at
        return True
