"""Where gateways' messages (webhooks) come in: they are passed on to charging as they are, which alone can tell whether
they are the gateway's (docs/decisions/0010-gateway-notices.md)."""

from sqlalchemy import select, update

from chassis.clock import Clock
from chassis.db import Database
from services.crm.core.ports.charging import ChargingPort, RefundState
from services.crm.paying.charging.models import PaymentChargeRow, PaymentRefundRow
from services.crm.paying.charging.records import OPEN

# What a gateway sends at most, in bytes.
LARGEST = 256 * 1024


class Notices:
    """Passes messages on, and has the worker look at what they concern."""

    def __init__(self, *, database: Database, clock: Clock, port: ChargingPort) -> None:
        self._database = database
        self._clock = clock
        self._port = port

    def take(self, agency_id: str, body: bytes, signature: str) -> int:
        """Says how many payments may have news. Raises PermissionDenied, InvalidArgument, Unavailable."""
        payment_ids = self._port.take_notice(agency_id, body, signature)
        now = self._clock.now()
        with self._database.transaction() as session:
            ours = session.scalars(
                select(PaymentChargeRow.payment_id).where(
                    PaymentChargeRow.payment_id.in_(payment_ids), PaymentChargeRow.agency_id == agency_id
                )
            ).all()
            session.execute(
                update(PaymentChargeRow)
                .where(PaymentChargeRow.payment_id.in_(ours), PaymentChargeRow.state.in_(OPEN))
                .values(check_at=now)
            )
            session.execute(
                update(PaymentRefundRow)
                .where(PaymentRefundRow.payment_id.in_(ours), PaymentRefundRow.state != RefundState.FAILED)
                .values(check_at=now)
            )
        return len(ours)
