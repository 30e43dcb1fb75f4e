"""What the notifier does on the events of refunds that two people decide, and of those that failed (G2)."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.money import Money
from protos.wayvault.common.v1.common_pb2 import Money as WireMoney
from protos.wayvault.events.v1.events_pb2 import (
    PaymentContext,
    PaymentRefundFailed,
    RefundApprovalDecided,
    RefundApprovalRequested,
)
from services.notifier.deliveries.formats import LOCALE
from services.notifier.deliveries.mailing import Mailing
from services.notifier.templates.rules import Mail


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundMails:
    """Turns events into queued deliveries."""

    mailing: Mailing
    crm_url: str

    def register(self, handlers: EventHandlers) -> None:
        handlers.on(RefundApprovalRequested, self.requested)
        handlers.on(RefundApprovalDecided, self.decided)
        handlers.on(PaymentRefundFailed, self.failed)

    def requested(self, session: Session, event: RefundApprovalRequested, meta: EventMeta) -> None:
        """Every admin who may decide it gets a mail of their own, with the way to the request itself."""
        extra = {
            "url": f"{self.crm_url}/approvals/refunds/{event.request_id}",
            "owner_name": event.context.agent.name,
            "refund": _money(event.amount),
            "refund_reason": event.reason,
        }
        for admin in event.admins:
            self.mailing.about_payment(session, meta, Mail.REFUND_REQUESTED, event.context, extra, to=admin)

    def decided(self, session: Session, event: RefundApprovalDecided, meta: EventMeta) -> None:
        """The agent who asked learns what came of it."""
        extra = {
            "url": self._payment_url(event.context),
            "refund": _money(event.amount),
            "refund_reason": event.reason,
            "approved": "yes" if event.approved else "",
            "decided_by": event.decided_by,
            "word": event.word,
        }
        self.mailing.about_payment(session, meta, Mail.REFUND_DECIDED, event.context, extra, to=event.context.agent)

    def failed(self, session: Session, event: PaymentRefundFailed, meta: EventMeta) -> None:
        """The agent learns that the client has not got the money."""
        extra = {
            "url": self._payment_url(event.context),
            "refund": _money(event.amount),
            "refund_reason": event.reason,
            "problem": event.problem,
            "left_before": "yes" if event.left_before else "",
        }
        self.mailing.about_payment(session, meta, Mail.REFUND_FAILED, event.context, extra, to=event.context.agent)

    def _payment_url(self, context: PaymentContext) -> str:
        return f"{self.crm_url}/payments/{context.payment_id}#charge"


def _money(amount: WireMoney) -> str:
    return Money(minor=amount.minor, currency=amount.currency).format(LOCALE)
