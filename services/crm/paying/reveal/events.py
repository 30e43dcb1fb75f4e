"""What the reveal room does on events of the notifier: what became of the vault's codes and CVV links."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import EventHandlers
from services.crm.core.mails import MailOutcome, on_mail
from services.crm.paying.reveal.models import ChallengeRow

# Which challenge an e-mail of the vault belongs to.
_CHALLENGES: Final = {"reveal_code": "card", "cvv_code": "cvv", "cvv_link": "cvv", "approve_code": "approve"}


def register(handlers: EventHandlers) -> None:
    """Adds this room's handlers; each is safe to run again."""
    on_mail(handlers, note_mail, *_CHALLENGES)


def note_mail(session: Session, mail: MailOutcome) -> None:
    """Keeps with the newest code what the notifier says about its e-mail."""
    query = (
        select(ChallengeRow)
        .where(ChallengeRow.payment_id == mail.payment_id, ChallengeRow.kind == _CHALLENGES[mail.kind])
        .order_by(ChallengeRow.requested_at.desc())
    )
    if row := session.scalars(query).first():
        row.delivery_problem = mail.problem
