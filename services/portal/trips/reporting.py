"""What a client paid otherwise and tells their agent of (C6): by transfer, on the supplier's own site. It counts for
nothing until the agent has confirmed it."""

from base64 import b32encode
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

from chassis.errors import InvalidArgument, NotFound
from chassis.money import Money
from protos.wayvault.events.v1.events_pb2 import PaymentContext
from services.portal.account.service import PresentClient
from services.portal.payments.rules import METHOD_WORDS
from services.portal.payments.service import Payments
from services.portal.trips.adding import OwnPayments
from services.portal.trips.service import Part, PayType, TripView

# Payments are told of by travelers of other zones than the agency's.
_LEEWAY = timedelta(days=1)
_EARLIEST = date(2000, 1, 1)
_WRONG_DAY = "Enter the day on which you paid, from the year 2000 on; it can't be still to come."


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the client says. `request_key` is made with the form, so that the form sent twice tells once."""

    request_key: str
    amount: Money
    method: str
    paid_on: date
    reference: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnReports:
    """Takes reports of clients who are signed in."""

    payments: Payments
    own: OwnPayments

    def tell(self, client: PresentClient, view: TripView, segment_id: str, report: Report) -> str:
        """The payment's id. Raises NotFound or InvalidArgument (field "method", "amount" or "paid_on")."""
        part = view.part(segment_id)
        if part is None:
            raise NotFound("There is no such part of this trip.")
        if report.method not in METHOD_WORDS:
            raise InvalidArgument("Choose how you paid.", field="method")
        if report.amount.minor <= 0:
            raise InvalidArgument("Enter an amount above zero.", field="amount")
        if not _EARLIEST <= report.paid_on <= view.today + _LEEWAY:
            raise InvalidArgument(_WRONG_DAY, field="paid_on")
        context = self._context(client, view, part, report)
        self.payments.report(context, reference=report.reference[:60], note=report.note[:500])
        return context.payment_id

    def _context(self, client: PresentClient, view: TripView, part: Part, report: Report) -> PaymentContext:
        kind = PayType.SERVICE_FEE if part.segment.is_fee else _kind_of(part)
        context = self.own.context(client, view, part, kind, report.amount)
        said = sha256(f"{client.client_id}:{report.request_key}".encode()).digest()
        context.payment_id = f"pay_{b32encode(said).decode().lower()[:26]}"
        context.method, context.paid_on = report.method, report.paid_on.isoformat()
        return context


def _kind_of(part: Part) -> PayType:
    """What the payment is taken for: what is due next."""
    following = next((due for due in part.schedule if due.open.minor > 0), None)
    return following.type if following else PayType.REGULAR
