"""The composition of the payment rooms: what bootstrap makes of them, what they register with worker and pages."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from chassis.bus import EventHandlers, Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.lifecycle import Loop, every
from chassis.rpc import TlsFiles, open_channel
from chassis.sealing import Letter, LetterWriter
from services.crm.access.agency.service import Directory
from services.crm.office.mail_outcomes.service import note_failed, note_sent
from services.crm.paying.card_removal.service import Lapses, Removals, VaultPort
from services.crm.paying.card_removal.vault_grpc import GrpcVault
from services.crm.paying.closing.service import Closing
from services.crm.paying.cvv_requests import events as cvv_events
from services.crm.paying.cvv_requests.service import CvvRequests
from services.crm.paying.links.events import LinkEvents
from services.crm.paying.links.service import Letters, PaymentLinks
from services.crm.paying.payments import events as payment_events
from services.crm.paying.payments.self_service import SelfService
from services.crm.paying.payments.service import PaymentBook
from services.crm.paying.reveal.service import Retrieval, note_delivery
from services.crm.paying.second_reveals.records import Approvals
from services.crm.paying.second_reveals.service import SecondReveals
from services.crm.sales.clients.service import Clients
from services.crm.signing.esign import events as esign_events
from services.crm.signing.insurance import events as insurance_events
from services.crm.trips.bookings.service import Bookings

if TYPE_CHECKING:
    from services.crm.config import CrmSettings

_ISSUER = "crm"
_REMOVALS_SECONDS = 0.5
_EXPIRY_SECONDS = 30.0
_LAPSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Paying:
    """The payment rooms' use cases."""

    book: PaymentBook
    self_service: SelfService
    links: PaymentLinks
    removals: Removals
    lapses: Lapses
    closing: Closing
    retrieval: Retrieval
    second_reveals: SecondReveals
    cvv_requests: CvvRequests


class CrmLetters:
    """Seals letters as the CRM; reads its keys at the first letter, so that other commands need none."""

    def __init__(self, settings: "CrmSettings") -> None:
        self._settings = settings

    @cached_property
    def _writer(self) -> LetterWriter:
        return LetterWriter(self._settings.letter_signing_key, _ISSUER, self._settings.notifier_letter_key)

    def seal(self, letter: Letter) -> str:
        """Raises chassis.sealing.SealError when a key file is missing."""
        return self._writer.seal(letter)


def open_vault(settings: "CrmSettings") -> VaultPort:
    """The vault over mTLS; nothing is opened before the first call."""
    tls = TlsFiles(ca=settings.tls_ca, cert=settings.tls_cert, key=settings.tls_key)
    return GrpcVault(open_channel(settings.vault_address, tls, settings.vault_server_name))


def make_paying(
    *,
    database: Database,
    outbox: Outbox,
    clock: Clock,
    bookings: Bookings,
    clients: Clients,
    directory: Directory,
    vault: VaultPort,
    letters: Letters,
    portal_url: str,
) -> Paying:
    """The payment rooms, joined."""
    links = PaymentLinks(
        database=database,
        outbox=outbox,
        clock=clock,
        bookings=bookings,
        directory=directory,
        letters=letters,
        portal_url=portal_url,
    )
    retrieval = Retrieval(database=database, outbox=outbox, clock=clock, vault=vault, approvals=Approvals())
    removals = Removals(database=database, outbox=outbox, clock=clock, vault=vault)
    return Paying(
        book=PaymentBook(database, clock),
        self_service=SelfService(bookings=bookings, clients=clients),
        links=links,
        removals=removals,
        lapses=Lapses(database=database, outbox=outbox, clock=clock, vault=vault),
        closing=Closing(database=database, outbox=outbox, clock=clock, removals=removals, links=links),
        retrieval=retrieval,
        second_reveals=SecondReveals(
            database=database, outbox=outbox, clock=clock, directory=directory, vault=vault, retrieval=retrieval
        ),
        cvv_requests=CvvRequests(
            database=database,
            outbox=outbox,
            clock=clock,
            directory=directory,
            letters=letters,
            portal_url=portal_url,
        ),
    )


def register_events(handlers: EventHandlers, paying: Paying) -> None:
    """What the payment rooms do on events of portal and notifier."""
    payment_events.register(handlers)
    cvv_events.register(handlers)
    LinkEvents(
        removals=paying.removals,
        open_own=paying.self_service.open,
        other_mails=(
            note_delivery,
            cvv_events.note_delivery,
            esign_events.note_delivery,
            insurance_events.note_delivery,
        ),
        note_failed=note_failed,
        note_sent=note_sent,
    ).register(handlers)


def payment_timers(paying: Paying) -> list[tuple[str, Loop]]:
    """What the payment rooms do by the clock."""
    return [
        ("card removals", every(_REMOVALS_SECONDS, paying.removals.carry_out, "card removals")),
        ("link expiry", every(_EXPIRY_SECONDS, paying.links.expire_due, "link expiry")),
        ("lapse warnings", every(_LAPSE_SECONDS, paying.lapses.warn, "lapse warnings")),
        ("lapsed cards", every(_LAPSE_SECONDS, paying.lapses.confirm, "lapsed cards")),
        ("unrecorded reveals", every(_LAPSE_SECONDS, paying.retrieval.settle, "unrecorded reveals")),
    ]
