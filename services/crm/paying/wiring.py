"""The composition of the street of payments."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers
from chassis.lifecycle import Loop, every
from chassis.rpc import open_channel
from chassis.sealing import LetterSealer
from services.crm.access.parts import Access
from services.crm.config import CrmSettings
from services.crm.core.parts import Core
from services.crm.core.ports.charging import ChargingPort
from services.crm.core.ports.vault import Removal, VaultPort
from services.crm.paying.alerts.service import DeskSigns
from services.crm.paying.card_removal.service import Lapses, Removals
from services.crm.paying.card_removal.vault_grpc import GrpcVault
from services.crm.paying.charging.approvals import RefundApprovals
from services.crm.paying.charging.approvals import count_waiting as count_requests
from services.crm.paying.charging.books import GatewayBooks
from services.crm.paying.charging.charging_grpc import GrpcCharging, NoCharging
from services.crm.paying.charging.failed import FailedRefunds
from services.crm.paying.charging.notices import Notices
from services.crm.paying.charging.reason_words import ReasonWords
from services.crm.paying.charging.records import demand_not_charged, demand_settled
from services.crm.paying.charging.refunds import Refunds
from services.crm.paying.charging.service import Charges
from services.crm.paying.closing.service import Closing
from services.crm.paying.cvv_requests import events as cvv_events
from services.crm.paying.cvv_requests.service import CvvRequests
from services.crm.paying.gateway_keys.service import GatewayKeys
from services.crm.paying.links import events as link_events
from services.crm.paying.links.overview import LinkOverview
from services.crm.paying.links.service import PaymentLinks
from services.crm.paying.parts import Paying
from services.crm.paying.payments.events import PaymentEvents
from services.crm.paying.payments.self_service import SelfService
from services.crm.paying.payments.service import HeldPayment, PaymentBook
from services.crm.paying.phone.masker import GrpcMasker, MaskerPort
from services.crm.paying.phone.service import PhonePayments
from services.crm.paying.phone.storing import SignatureDesk, Storing
from services.crm.paying.recording.events import ReportEvents
from services.crm.paying.recording.service import Recording
from services.crm.paying.reminders import events as reminder_events
from services.crm.paying.reminders.log import ReminderLog
from services.crm.paying.reminders.service import Reminders
from services.crm.paying.reveal import events as reveal_events
from services.crm.paying.reveal.service import Reveals
from services.crm.paying.schedule.service import Schedule
from services.crm.paying.second_reveals.records import Approvals
from services.crm.paying.second_reveals.service import SecondReveals
from services.crm.paying.standing_orders.acts import Acts
from services.crm.paying.standing_orders.events import OrderEvents
from services.crm.paying.standing_orders.keeping import Keeping
from services.crm.paying.standing_orders.service import StandingOrders
from services.crm.sales.parts import Sales
from services.crm.trips.parts import Trips

_REMOVALS_SECONDS = 0.5
_CHARGES_SECONDS = 5.0
_EXPIRY_SECONDS = 30.0
_LAPSE_SECONDS = 60.0
_NEWS_SECONDS = 600.0


def open_vault(settings: CrmSettings) -> VaultPort:
    """The vault over mTLS; nothing is opened before the first call."""
    return GrpcVault(open_channel(settings.vault_address, settings.tls, settings.vault_server_name))


def open_charging(settings: CrmSettings) -> ChargingPort:
    """The program `charging` over mTLS, where there is one."""
    if not settings.charging_address:
        return NoCharging()
    return GrpcCharging(open_channel(settings.charging_address, settings.tls, settings.charging_server_name))


def open_masker(settings: CrmSettings) -> MaskerPort | None:
    """The masker over mTLS; None where phone payments are not set up."""
    if not settings.phone_address:
        return None
    return GrpcMasker(open_channel(settings.phone_address, settings.tls, settings.phone_server_name))


def make_paying(
    core: Core,
    access: Access,
    sales: Sales,
    trips: Trips,
    *,
    book: PaymentBook,
    vault: VaultPort,
    charging: ChargingPort,
    letters: LetterSealer,
    masker: MaskerPort | None,
    signatures: SignatureDesk,
) -> Paying:
    """The rooms, joined."""
    database, outbox, clock = core.database, core.outbox, core.clock
    bookings, directory, portal_url = trips.bookings, access.directory, core.settings.portal_url
    links = PaymentLinks(
        database=database,
        outbox=outbox,
        clock=clock,
        bookings=bookings,
        directory=directory,
        enrolments=access.enrolments,
        letters=letters,
        portal_url=portal_url,
    )
    reveals = Reveals(database=database, outbox=outbox, clock=clock, vault=vault, approvals=Approvals())
    removals = Removals(database=database, outbox=outbox, clock=clock, vault=vault, barrier=demand_settled)
    refunds = Refunds(database=database, outbox=outbox, clock=clock, port=charging, directory=directory)
    second_reveals = SecondReveals(
        database=database, outbox=outbox, clock=clock, directory=directory, vault=vault, reveals=reveals
    )
    core.waiting.add("second reveals", second_reveals.count_waiting)
    core.waiting.add("refund requests", count_requests)
    self_service = SelfService(bookings=bookings, clients=sales.clients)
    charges = Charges(
        database=database,
        outbox=outbox,
        clock=clock,
        bookings=bookings,
        removals=removals,
        port=charging,
        letters=letters,
    )
    storing = Storing(
        database=database,
        outbox=outbox,
        clock=clock,
        links=links,
        masker=masker,
        vault=vault,
        signatures=signatures,
        refuse_card=card_refuser(removals),
        acting=directory.actor,
    )
    acts = Acts(outbox=outbox, clock=clock, links=links)
    return Paying(
        book=book,
        signs=DeskSigns(database=database, waiting=core.waiting),
        schedule=Schedule(book=book),
        charges=charges,
        refunds=refunds,
        failed_refunds=FailedRefunds(database=database),
        refund_approvals=RefundApprovals(
            database=database, outbox=outbox, clock=clock, directory=directory, refunds=refunds
        ),
        books=GatewayBooks(database=database, port=charging),
        reason_words=ReasonWords(charging),
        gateway_keys=GatewayKeys(port=charging, directory=directory),
        standing_orders=StandingOrders(
            database=database,
            outbox=outbox,
            clock=clock,
            bookings=bookings,
            directory=directory,
            enrolments=access.enrolments,
            links=links,
            charges=charges,
            acts=acts,
        ),
        order_acts=acts,
        order_keeping=Keeping(
            database=database,
            outbox=outbox,
            clock=clock,
            charges=charges,
            links=links,
            removals=removals,
            acts=acts,
        ),
        notices=Notices(database=database, clock=clock, port=charging),
        recording=Recording(
            database=database, outbox=outbox, clock=clock, bookings=bookings, barrier=demand_not_charged
        ),
        reports=ReportEvents(read=self_service.read),
        self_service=self_service,
        links=links,
        overview=LinkOverview(database=database, clock=clock, links=links),
        removals=removals,
        lapses=Lapses(database=database, outbox=outbox, clock=clock, vault=vault),
        closing=Closing(
            database=database, outbox=outbox, clock=clock, removals=removals, links=links, barrier=demand_settled
        ),
        reveals=reveals,
        second_reveals=second_reveals,
        cvv_requests=CvvRequests(
            database=database,
            outbox=outbox,
            clock=clock,
            directory=directory,
            bookings=bookings,
            letters=letters,
            portal_url=portal_url,
        ),
        reminders=Reminders(
            database=database, outbox=outbox, clock=clock, bookings=bookings, directory=directory, payments=book
        ),
        phone=PhonePayments(database=database, clock=clock, masker=masker, signatures=signatures, storing=storing),
        reminder_log=ReminderLog(database=database, bookings=bookings),
    )


def card_refuser(removals: Removals) -> Callable[[Session, HeldPayment, str], None]:
    """What has a card destroyed that came for a payment which is past it, in the caller's transaction."""

    def refuse_card(session: Session, payment: HeldPayment, card_token: str) -> None:
        removals.want(session, payment, card_token=card_token, reason=Removal.VOIDED)

    return refuse_card


def register_events(handlers: EventHandlers, paying: Paying) -> None:
    """What the rooms do on events of portal and notifier. The payments room is told of an authorization before the
    links room: it refuses what is not ours."""

    refuse_card = card_refuser(paying.removals)
    PaymentEvents(self_service=paying.self_service, refuse_card=refuse_card).register(handlers)
    link_events.register(handlers)
    reveal_events.register(handlers)
    cvv_events.register(handlers)
    paying.reports.register(handlers)
    reminder_events.register(handlers, paying.reminder_log)
    OrderEvents(acts=paying.order_acts, refuse_card=refuse_card).register(handlers)


def timers(paying: Paying) -> list[tuple[str, Loop]]:
    """What the payment rooms do by the clock."""
    return [
        ("card removals", every(_REMOVALS_SECONDS, paying.removals.carry_out, "card removals")),
        ("charges", every(_CHARGES_SECONDS, paying.charges.find_out, "charges")),
        ("standing orders", every(_CHARGES_SECONDS, paying.order_keeping.run, "standing orders")),
        (
            "cards for standing orders",
            every(_LAPSE_SECONDS, paying.order_keeping.catch_up, "cards for standing orders"),
        ),
        ("cards of ended standing orders", every(_LAPSE_SECONDS, paying.order_keeping.forget, "forgotten cards")),
        ("refunds", every(_CHARGES_SECONDS, paying.refunds.carry_out, "refunds")),
        ("link expiry", every(_EXPIRY_SECONDS, paying.links.expire_due, "link expiry")),
        ("lapse warnings", every(_LAPSE_SECONDS, paying.lapses.warn, "lapse warnings")),
        ("lapsed cards", every(_LAPSE_SECONDS, paying.lapses.confirm, "lapsed cards")),
        ("old news", every(_NEWS_SECONDS, paying.signs.sweep, "old news")),
        ("cards by phone", every(_CHARGES_SECONDS, paying.phone.storing.settle, "cards by phone")),
        ("unrecorded reveals", every(_LAPSE_SECONDS, paying.reveals.settle, "unrecorded reveals")),
    ]
