"""Use cases of the CVV room: learn of a link, open it, hand the sealed CVV to the vault."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database, insert_if_absent
from chassis.errors import IntakeUsed
from chassis.ids import new_id, token_sha256
from chassis.timestamps import moment_of, stamp
from protos.wayvault.events.v1.events_pb2 import CvvRequested, CvvResupplied, PaymentContext
from services.portal.cvv.intake import CvvIntakePort
from services.portal.cvv.models import CvvLinkRow
from services.portal.cvv.rules import CvvLinkState, CvvLinkStatus, status_of
from services.portal.news import tell
from services.portal.origin import Origin
from services.portal.payment_request import PaymentRequest, read_context
from services.portal.payments.service import payment_over

__all__ = ["CvvLink", "CvvLinkStatus", "CvvLinks"]

_ANSWERABLE = (CvvLinkState.ISSUED, CvvLinkState.OPENED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CvvLink:
    """A link as it stands at the moment of the call."""

    link_id: str
    status: CvvLinkStatus
    request: PaymentRequest
    card_token: str
    intake_id: str
    brand: str
    last4: str
    expires_at: datetime
    supplied_at: datetime | None
    cvv_kept_until: datetime | None


class CvvLinks:
    """The room's use cases."""

    def __init__(self, *, database: Database, outbox: Outbox, clock: Clock, intake: CvvIntakePort) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._intake = intake

    def learn(self, session: Session, message: CvvRequested, at: datetime) -> None:
        """Takes in a link; a newer one of the payment replaces those before it, in whatever order they come."""
        values = {
            "link_id": message.link_id,
            "payment_id": message.context.payment_id,
            "agency_id": message.context.agency.id,
            "card_token": message.card_token,
            "brand": message.brand[:20],
            "last4": message.last4[-4:],
            "token_sha256": message.token_sha256,
            "intake_id": "",
            "state": CvvLinkState.ISSUED.value,
            "context": message.context.SerializeToString(deterministic=True),
            "issued_at": at,
            "expires_at": moment_of(message.expires_at),
            "opened_at": None,
            "supplied_at": None,
            "cvv_kept_until": None,
        }
        insert_if_absent(session, CvvLinkRow.__table__, values)  # type: ignore[arg-type]  # a Table
        newest = session.scalars(
            select(CvvLinkRow.link_id)
            .where(CvvLinkRow.payment_id == message.context.payment_id)
            .order_by(CvvLinkRow.issued_at.desc(), CvvLinkRow.link_id.desc())
        ).first()
        session.execute(
            update(CvvLinkRow)
            .where(
                CvvLinkRow.payment_id == message.context.payment_id,
                CvvLinkRow.link_id != newest,
                CvvLinkRow.state.in_([state.value for state in _ANSWERABLE]),
            )
            .values(state=CvvLinkState.REPLACED.value)
        )
        tell(session, [message.context.payment_id])

    def find(self, link_id: str) -> CvvLink | None:
        """The link by its id, or None. Changes nothing."""
        with self._database.read() as session:
            row = session.get(CvvLinkRow, link_id[:64])
            return None if row is None else self._view(session, row)

    def open(self, link_id: str, token: str) -> CvvLink | None:
        """Opens a link with its token: None when the token is not good for it."""
        with self._database.transaction() as session:
            row = self._locked(session, link_id)
            if row is None or not compare_digest(token_sha256(token), row.token_sha256):
                return None
            view = self._view(session, row)
            if view.status is CvvLinkStatus.OPEN and row.opened_at is None:
                row.state, row.opened_at = CvvLinkState.OPENED, self._clock.now()
            return view

    def slot(self, link: CvvLink, origin: Origin) -> str:
        """A fresh slot at the vault for this link's CVV. Raises CardGone, Unavailable, …"""
        intake_id = self._intake.open_cvv_intake(
            idempotency_key=new_id("key"), request=link.request, card_token=link.card_token, origin=origin
        )
        with self._database.transaction() as session:
            if row := self._locked(session, link.link_id):
                row.intake_id = intake_id
        return intake_id

    def supply(self, link_id: str, *, intake_id: str, sealed_cvv: str, origin: Origin) -> CvvLink | None:
        """Hands the sealed CVV to the vault and tells the CRM, once. None when there is no such link.

        A link that can't be answered comes back as it stands, and nothing is stored. The same sealed CVV again gives
        the same result: the vault repeats its answer to the same key.
        """
        link = self.find(link_id)
        if link is None or link.status is not CvvLinkStatus.OPEN:
            return link
        if intake_id != link.intake_id:
            # Another tab has opened a slot since, or this is another link's.
            raise IntakeUsed
        key = hashlib.sha256(f"{link_id}\n{intake_id}\n{sealed_cvv}".encode()).hexdigest()
        kept_until = self._intake.replace_cvv(
            idempotency_key=key, intake_id=intake_id, sealed_cvv=sealed_cvv, origin=origin
        )
        now = self._clock.now()
        with self._database.transaction() as session:
            row = self._locked(session, link_id)
            if row is None:
                return None
            if row.supplied_at is None:
                row.state, row.supplied_at, row.cvv_kept_until = CvvLinkState.SUPPLIED, now, kept_until
                event = CvvResupplied(
                    link_id=row.link_id, payment_id=row.payment_id, cvv_kept_until=stamp(kept_until), at=stamp(now)
                )
                self._outbox.add(session, event, aggregate_id=row.link_id, agency_id=row.agency_id)
            return self._view(session, row)

    def _locked(self, session: Session, link_id: str) -> CvvLinkRow | None:
        return session.scalars(
            select(CvvLinkRow).where(CvvLinkRow.link_id == link_id[:64]).with_for_update()
        ).one_or_none()

    def _view(self, session: Session, row: CvvLinkRow) -> CvvLink:
        return CvvLink(
            link_id=row.link_id,
            status=status_of(
                CvvLinkState(row.state),
                expires_at=row.expires_at,
                payment_over=payment_over(session, row.payment_id),
                now=self._clock.now(),
            ),
            request=read_context(PaymentContext.FromString(row.context)),
            card_token=row.card_token,
            intake_id=row.intake_id,
            brand=row.brand,
            last4=row.last4,
            expires_at=row.expires_at,
            supplied_at=row.supplied_at,
            cvv_kept_until=row.cvv_kept_until,
        )
