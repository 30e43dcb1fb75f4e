"""What the street of payments holds."""

from dataclasses import dataclass

from chassis.web.parts import held
from services.crm.paying.alerts.service import DeskSigns
from services.crm.paying.card_removal.service import Lapses, Removals
from services.crm.paying.charging.approvals import RefundApprovals
from services.crm.paying.charging.books import GatewayBooks
from services.crm.paying.charging.failed import FailedRefunds
from services.crm.paying.charging.notices import Notices
from services.crm.paying.charging.reason_words import ReasonWords
from services.crm.paying.charging.refunds import Refunds
from services.crm.paying.charging.service import Charges
from services.crm.paying.closing.service import Closing
from services.crm.paying.cvv_requests.service import CvvRequests
from services.crm.paying.gateway_keys.service import GatewayKeys
from services.crm.paying.links.overview import LinkOverview
from services.crm.paying.links.service import PaymentLinks
from services.crm.paying.payments.self_service import SelfService
from services.crm.paying.payments.service import PaymentBook
from services.crm.paying.phone.service import PhonePayments
from services.crm.paying.recording.events import ReportEvents
from services.crm.paying.recording.service import Recording
from services.crm.paying.reminders.log import ReminderLog
from services.crm.paying.reminders.service import Reminders
from services.crm.paying.reveal.service import Reveals
from services.crm.paying.schedule.service import Schedule
from services.crm.paying.second_reveals.service import SecondReveals
from services.crm.paying.standing_orders.acts import Acts
from services.crm.paying.standing_orders.keeping import Keeping
from services.crm.paying.standing_orders.service import StandingOrders


@dataclass(frozen=True, slots=True, kw_only=True)
class Paying:
    """The street's use cases."""

    book: PaymentBook
    signs: DeskSigns
    charges: Charges
    refunds: Refunds
    refund_approvals: RefundApprovals
    failed_refunds: FailedRefunds
    books: GatewayBooks
    gateway_keys: GatewayKeys
    reason_words: ReasonWords
    notices: Notices
    schedule: Schedule
    recording: Recording
    reports: ReportEvents
    self_service: SelfService
    links: PaymentLinks
    overview: LinkOverview
    removals: Removals
    lapses: Lapses
    closing: Closing
    reveals: Reveals
    second_reveals: SecondReveals
    cvv_requests: CvvRequests
    reminders: Reminders
    reminder_log: ReminderLog
    phone: PhonePayments
    standing_orders: StandingOrders
    order_keeping: Keeping
    order_acts: Acts


def paying() -> Paying:
    """The use cases, in a page."""
    return held(Paying)
