"""The CRM with fakes around it: a vault that shows nothing, letters kept open, a clock that tests turn."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask
from flask.testing import FlaskClient
from google.protobuf.message import Message
from pydantic import SecretStr
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from chassis.bus import CATALOGUE, EventHandlers, EventMeta, event_type_of
from chassis.db import Database, open_database
from chassis.errors import AlreadyRevealed, CardGone, CvvGone, WayvaultError
from chassis.ids import new_event_id, new_id, new_link_token, token_sha256
from chassis.money import Money
from chassis.sealing import Letter
from chassis.timestamps import stamp
from chassis.web.passwords import Passwords
from protos.wayvault.common.v1.common_pb2 import Origin as WireOrigin
from protos.wayvault.common.v1.common_pb2 import PostalAddress
from protos.wayvault.events.v1.envelope_pb2 import Envelope
from protos.wayvault.events.v1.events_pb2 import DocumentSigned, PaymentAuthorized, PaymentContext
from services.crm.access.agency.rules import AgentDetail
from services.crm.access.agency.service import AgencyData, AgentData, Directory
from services.crm.access.auth.rules import Stage
from services.crm.access.enrolment.rules import hint_of
from services.crm.app import create_app
from services.crm.bootstrap import bootstrap
from services.crm.config import CrmSettings
from services.crm.core.actor import Actor, Role
from services.crm.core.ports.charging import ChargingPort
from services.crm.core.ports.vault import (
    AccessEntry,
    Answer,
    Approval,
    CardDescription,
    CardState,
    Challenge,
    CvvLinkMail,
    CvvState,
    EnrolledAgent,
    Origin,
    Removal,
    SecondRevealAsked,
    StoredCard,
)
from services.crm.models import Base, event_tables, session_tables
from services.crm.parts import Dependencies
from services.crm.paying.links.service import LinkRequest, Share
from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.rules import Method, PaymentType
from services.crm.paying.payments.service import Payment
from services.crm.paying.recording.service import Recorded
from services.crm.sales.clients.service import ClientData
from services.crm.trips.bookings.service import BookingData, BookingDetail, BookingStatus, SegmentData, SegmentKind
from services.crm.worker import event_handlers
from tests.support.clock import FakeClock
from tests.support.crm_trail import FakeTrail
from tests.support.masker import FakeMasker
from tests.support.office_files import pdf
from tests.support.tables import furnished

Event = TypeVar("Event", bound=Message)
ORIGIN = Origin(ip="203.0.113.7", user_agent="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36")


@cache
def signed_pdf() -> bytes:
    """What a client signed, as the portal made it."""
    return pdf("I authorize this charge.")


@dataclass
class FakeCard:
    """What the fake vault knows about a card."""

    state: CardState = CardState.STORED
    cvv_state: CvvState = CvvState.HELD
    revealed_at: datetime | None = None
    cvv_shown_at: datetime | None = None
    removed_at: datetime | None = None
    entries: list[AccessEntry] = field(default_factory=list)
    # Until when a second reveal is approved.
    approved_until: datetime | None = None


class FakeVault:
    """VaultPort as the vault behaves towards the CRM: one answer per sealed request, the same again for the same,
    challenges by idempotency key. A sealed request is "<challenge id>:<anything>"."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.cards: dict[str, FakeCard] = {}
        self.challenges: dict[str, Challenge] = {}
        self.card_of: dict[str, str] = {}
        self.answers: dict[str, Answer] = {}
        self.link_mails: dict[str, CvvLinkMail] = {}
        self.purposes: list[str] = []
        self.removals: list[tuple[str, Removal]] = []
        # Second reveals by id: the card each is for; what was approved and refused, with the approver.
        self.second_of: dict[str, str] = {}
        self.asked_with: dict[str, str] = {}
        self.approvals: dict[str, Approval] = {}
        self.refused: list[tuple[str, str, str]] = []
        # Whom the agency has (by `know_people`); who of them is not enrolled, or at another address.
        self.roster: Callable[[str], list[AgentDetail]] = lambda _: []
        self.unknown_agents: set[str] = set()
        self.enrolled_hints: dict[str, str] = {}
        # Cards by the phone session in which they were keyed.
        self.keyed: dict[str, str] = {}
        self.down: WayvaultError | None = None
        self.refuse: WayvaultError | None = None

    def hold(self, token: str) -> FakeCard:
        """Stores a card."""
        self.cards[token] = FakeCard()
        return self.cards[token]

    def hold_keyed(self, phone_session_id: str) -> str:
        """Stores a card that was keyed in a phone session: its token."""
        token = self.keyed[phone_session_id] = f"card_{phone_session_id}"
        self.hold(token)
        return token

    def request_reveal(
        self, *, idempotency_key: str, card_token: str, agent_id: str, purpose: str, origin: Origin
    ) -> Challenge:
        with self._lock:
            card = self._card(card_token)
            if card.state is CardState.REVEALED and not self._again(card):
                raise AlreadyRevealed
            if idempotency_key not in self.challenges:
                self.purposes.append(purpose)
            return self._challenge(idempotency_key, card_token, agent_id, origin, reason=purpose)

    def confirm_reveal(self, *, agent_id: str, sealed_request: str, origin: Origin) -> Answer:
        with self._lock:
            self._up()
            if sealed_request in self.answers:
                return self.answers[sealed_request]
            token = self.card_of[sealed_request.partition(":")[0]]
            card = self._card(token)
            again = self._again(card)
            if card.state is CardState.REVEALED and not again:
                raise AlreadyRevealed
            card.approved_until = None
            card.state, card.revealed_at = CardState.REVEALED, self._clock.now()
            self._note(card, "card.revealed_again" if again else "card.revealed", agent_id, origin)
            answer = Answer(sealed_answer=f"sealed-card:{token}", at=self._clock.now(), card_token=token)
            self.answers[sealed_request] = answer
            return answer

    def request_cvv(self, *, idempotency_key: str, card_token: str, agent_id: str, origin: Origin) -> Challenge:
        with self._lock:
            if self._card(card_token).cvv_state not in (CvvState.HELD, CvvState.LINKED):
                raise CvvGone
            return self._challenge(idempotency_key, card_token, agent_id, origin)

    def confirm_cvv(self, *, agent_id: str, sealed_request: str, origin: Origin) -> CvvLinkMail:
        with self._lock:
            self._up()
            if sealed_request not in self.link_mails:
                token = self.card_of[sealed_request.partition(":")[0]]
                self._card(token).cvv_state = CvvState.LINKED
                self.link_mails[sealed_request] = CvvLinkMail(
                    sealed_mail=f"cvv-link:{token}",
                    expires_at=self._clock.now() + timedelta(minutes=10),
                    address_hint="m***@harbour.example",
                    card_token=token,
                )
            return self.link_mails[sealed_request]

    def redeem_cvv_link(self, *, agent_id: str, sealed_request: str, origin: Origin) -> Answer:
        with self._lock:
            self._up()
            token = sealed_request.partition(":")[0]
            card = self._card(token)
            card.cvv_state, card.cvv_shown_at = CvvState.SHOWN, self._clock.now()
            return Answer(sealed_answer=f"sealed-cvv:{token}", at=self._clock.now(), card_token=token)

    def request_second_reveal(
        self, *, idempotency_key: str, card_token: str, agent_id: str, reason: str, origin: Origin
    ) -> SecondRevealAsked:
        with self._lock:
            card = self._card(card_token)
            if idempotency_key not in self.asked_with:
                self.asked_with[idempotency_key] = new_id("second")
                self.second_of[self.asked_with[idempotency_key]] = card_token
                self._note(card, "second_reveal.requested", agent_id, origin, reason)
            return SecondRevealAsked(
                id=self.asked_with[idempotency_key], expires_at=self._clock.now() + timedelta(hours=24)
            )

    def request_approval(
        self, *, idempotency_key: str, second_reveal_id: str, approver_id: str, origin: Origin
    ) -> Challenge:
        with self._lock:
            token = self.second_of[second_reveal_id]
            self._card(token)
            challenge = self._challenge(idempotency_key, token, approver_id, origin)
            self.second_of[challenge.challenge_id] = second_reveal_id
            return challenge

    def confirm_approval(self, *, approver_id: str, sealed_request: str, origin: Origin) -> Approval:
        with self._lock:
            self._up()
            if sealed_request not in self.approvals:
                second_id = self.second_of[sealed_request.partition(":")[0]]
                card = self._card(self.second_of[second_id])
                card.approved_until = self._clock.now() + timedelta(minutes=30)
                self._note(card, "second_reveal.approved", approver_id, origin)
                self.approvals[sealed_request] = Approval(second_reveal_id=second_id, good_until=card.approved_until)
            return self.approvals[sealed_request]

    def refuse_second_reveal(
        self, *, idempotency_key: str, second_reveal_id: str, approver_id: str, word: str, origin: Origin
    ) -> datetime:
        with self._lock:
            self._card(self.second_of[second_reveal_id])
            self.refused.append((second_reveal_id, approver_id, word))
            return self._clock.now()

    def _again(self, card: FakeCard) -> bool:
        return card.approved_until is not None and self._clock.now() < card.approved_until

    def know_people(self, directory: Directory, database: Database) -> None:
        """Enrols everybody that the CRM has, now and later."""

        def roster(agency_id: str) -> list[AgentDetail]:
            with database.read() as session:
                return [directory.load_agent(session, agent_id) for agent_id in directory.names(session, agency_id)]

        self.roster = roster

    def enrolled(self, agency_id: str) -> list[EnrolledAgent]:
        self._up()
        return [
            EnrolledAgent(
                agent_id=agent.id,
                address_hint=self.enrolled_hints.get(agent.id, hint_of(agent.email)),
                approver=False,
            )
            for agent in self.roster(agency_id)
            if agent.id not in self.unknown_agents
        ]

    def describe_card(self, *, card_token: str, agent_id: str) -> CardDescription:
        with self._lock:
            self._up()
            card = self.cards[card_token]
            return CardDescription(
                state=card.state,
                cvv_state=card.cvv_state,
                revealed_at=card.revealed_at,
                cvv_shown_at=card.cvv_shown_at,
                removed_at=card.removed_at,
            )

    def find_keyed_card(self, *, phone_session_id: str, agent_id: str) -> StoredCard | None:
        with self._lock:
            self._up()
            token = self.keyed.get(phone_session_id, "")
            if token not in self.cards or self.cards[token].removed_at is not None:
                return None
            now = self._clock.now()
            return StoredCard(
                token=token,
                brand="visa",
                last4="4242",
                kept_until=now + timedelta(days=30),
                cvv_kept_until=now + timedelta(hours=72),
            )

    def list_access(self, *, card_token: str, agent_id: str) -> list[AccessEntry]:
        with self._lock:
            self._up()
            return list(self.cards[card_token].entries)

    def remove_card(
        self, *, idempotency_key: str, card_token: str, agent_id: str, reason: Removal, origin: Origin
    ) -> datetime:
        with self._lock:
            self._up()
            self.removals.append((card_token, reason))
            card = self.cards[card_token]
            if card.removed_at is None:
                card.state, card.cvv_state, card.removed_at = CardState.REMOVED, CvvState.PURGED, self._clock.now()
                self._note(card, "card.removed", agent_id, origin, reason=reason)
            return card.removed_at

    def _up(self) -> None:
        if self.down is not None:
            raise self.down
        if self.refuse is not None:
            refusal, self.refuse = self.refuse, None
            raise refusal

    def _card(self, token: str) -> FakeCard:
        self._up()
        card = self.cards[token]
        if card.removed_at is not None:
            raise CardGone
        return card

    def _challenge(self, key: str, token: str, agent_id: str, origin: Origin, *, reason: str = "") -> Challenge:
        if key not in self.challenges:
            challenge_id = new_id("chal")
            self.card_of[challenge_id] = token
            self._note(self.cards[token], "challenge.sent", agent_id, origin, reason)
            self.challenges[key] = Challenge(
                challenge_id=challenge_id,
                sealed_mail=f"code:{challenge_id}",
                expires_at=self._clock.now() + timedelta(minutes=5),
                address_hint="m***@harbour.example",
            )
        return self.challenges[key]

    def _note(self, card: FakeCard, action: str, actor: str, origin: Origin, reason: str = "") -> None:
        entry = AccessEntry(at=self._clock.now(), action=action, ok=True, actor=actor, reason=reason, origin=origin)
        card.entries.append(entry)


class OpenLetters:
    """Letters that keeps what it seals."""

    def __init__(self) -> None:
        self.written: list[Letter] = []

    def seal(self, letter: Letter) -> str:
        self.written.append(letter)
        return f"sealed:{letter.letter_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Furniture:
    """Who and what is in a new house's database."""

    agency_id: str
    maya: Actor
    jonas: Actor
    ada: Actor
    grace_id: str
    alan_id: str
    tim_id: str
    booking_id: str
    segment_id: str


class CrmHouse:
    """A CRM over a fresh SQLite file with one agency, two agents and an admin, clients and a booking."""

    def __init__(
        self, folder: Path, *, database_url: str = "", charging: ChargingPort | None = None, trusted_proxies: int = 0
    ) -> None:
        self.clock = FakeClock()
        self.vault = FakeVault(self.clock)
        self.letters = OpenLetters()
        self.trail = FakeTrail()
        self.masker = FakeMasker(self.clock)
        settings = CrmSettings(
            state_dir=folder,
            database_url=database_url or f"sqlite:///{folder}/crm.db",
            secret_key=SecretStr("a secret key that only this test run has"),
            trusted_proxies=trusted_proxies,
        )
        database = open_database(settings.database_url, name="crm", pool_size=10)
        self.deps: Dependencies = bootstrap(
            settings,
            clock=self.clock,
            database=database,
            vault=self.vault,
            charging=charging,
            letters=self.letters,
            trail=self.trail,
            masker=self.masker,
            passwords=Passwords(memory_kib=64, passes=1),
        )
        self.vault.know_people(self.deps.access.directory, database)
        self.handlers: EventHandlers = event_handlers(self.deps)
        self._know(furnished(database, Base.metadata, self._furnish))

    def _know(self, known: "_Furniture") -> None:
        self.agency_id = known.agency_id
        self.maya, self.jonas, self.ada = known.maya, known.jonas, known.ada
        self.grace_id, self.alan_id, self.tim_id = known.grace_id, known.alan_id, known.tim_id
        self.booking_id, self.segment_id = known.booking_id, known.segment_id

    def _furnish(self) -> "_Furniture":
        agency = self.deps.access.directory.create_agency(
            AgencyData(name="Harbour & Vine Travel", email="desk@harbour.example")
        )
        maya = self._agent(agency.id, "Maya Okafor", "maya@harbour.example")
        jonas = self._agent(agency.id, "Jonas Weber", "jonas@harbour.example")
        ada = self._agent(agency.id, "Ada Lindqvist", "ada@harbour.example", Role.ADMIN)
        clients = self.deps.sales.clients
        grace = clients.create(maya, ClientData(first_name="Grace", last_name="Hopper", email="grace@client.example"))
        alan = clients.create(maya, ClientData(first_name="Alan", last_name="Turing", email="alan@client.example"))
        tim = clients.create(maya, ClientData(first_name="Tim", last_name="Turing"))
        data = BookingData(
            title="Norwegian fjords for three",
            status=BookingStatus.BOOKED,
            currency="USD",
            passenger_ids=(grace.id, alan.id, tim.id),
        )
        booking = self.deps.trips.bookings.create(maya, data)
        segment = SegmentData(
            supplier_name="Aurora Cruises",
            kind=SegmentKind.CRUISE,
            begins_on=date(2027, 6, 5),
            ends_on=date(2027, 6, 12),
            price=usd(4_000_00),
            deposit=usd(1_240_00),
            deposit_due_on=date(2026, 12, 1),
            final=usd(2_760_00),
            final_due_on=date(2027, 4, 1),
        )
        return _Furniture(
            agency_id=agency.id,
            maya=maya,
            jonas=jonas,
            ada=ada,
            grace_id=grace.id,
            alan_id=alan.id,
            tim_id=tim.id,
            booking_id=booking.id,
            segment_id=self.deps.trips.bookings.add_segment(maya, booking.id, segment, version=booking.version).id,
        )

    def _agent(self, agency_id: str, name: str, email: str, role: Role = Role.AGENT) -> Actor:
        agent = self.deps.access.directory.create_agent(agency_id, AgentData(name=name, email=email, role=role))
        actor = self.deps.access.directory.actor(agent.id)
        assert actor is not None
        return actor

    @property
    def booking(self) -> BookingDetail:
        return self.deps.trips.bookings.get(self.maya, self.booking_id)

    def link_request(self, *, key: str = "form-1-0123456789", amount: int = 1_240_00, clients: int = 1) -> LinkRequest:
        """A sending for the deposit, to Grace, or to Grace and Alan."""
        ids = [self.grace_id, self.alan_id][:clients]
        return LinkRequest(
            request_key=key,
            segment_id=self.segment_id,
            type=PaymentType.DEPOSIT,
            purpose="Deposit for two cabins",
            due_on=date(2026, 12, 1),
            shares=[Share(client_id=client_id, amount=usd(amount)) for client_id in ids],
        )

    def requested(self, key: str = "form-1-0123456789") -> str:
        """A payment whose link was sent. Returns the payment's id."""
        return self.deps.paying.links.send(self.maya, self.booking_id, self.link_request(key=key))[0].payment_id

    def authorized(self, key: str = "form-1-0123456789") -> str:
        """A payment that the client authorized; its card is in the fake vault."""
        payment_id = self.requested(key)
        self.hear(self.authorization(payment_id))
        return payment_id

    def retrieved(self, key: str = "form-1-0123456789") -> str:
        """A payment whose card was shown."""
        payment_id = self.authorized(key)
        self.reveal(payment_id)
        return payment_id

    def recorded(self, *, key: str = "record-1-0123456789", **changes: Any) -> Payment:  # Any: fields of Recorded
        """A cheque for the deposit, from Grace."""
        wanted = Recorded(
            request_key=key,
            client_id=self.grace_id,
            segment_id=self.segment_id,
            type=PaymentType.DEPOSIT,
            method=Method.CHEQUE,
            amount=usd(1_240_00),
            paid_on=self.clock.now().date(),
            reference="No. 4711",
            note="Came by post.",
        )
        return self.deps.paying.recording.record(self.maya, self.booking_id, replace(wanted, **changes), ip=ORIGIN.ip)

    def reveal(self, payment_id: str, *, agent: Actor | None = None) -> Answer:
        """Asks for a code and redeems it, as the page does."""
        agent = agent or self.maya
        sent = self.deps.paying.reveals.send_card_code(
            agent, payment_id, request_key=new_id("key"), supplier_ready=True, origin=ORIGIN
        )
        return self.deps.paying.reveals.reveal(
            agent, payment_id, sealed_request=f"{sent.challenge_id}:sealed", origin=ORIGIN
        )

    def authorization(self, payment_id: str, *, token: str = "") -> PaymentAuthorized:
        """What the portal says when the client has submitted; the card is put into the fake vault."""
        token = token or new_id("card")
        self.vault.hold(token)
        link = self.deps.paying.links.of_payment(payment_id)
        return PaymentAuthorized(
            context=PaymentContext.FromString(self.row(payment_id).context),
            link_id=link.id if link else "",
            card_token=token,
            brand="visa",
            last4="1111",
            cardholder_name="Grace Hopper",
            billing_address=PostalAddress(
                line1="1 Harbour Street", city="Boston", region="MA", postal_code="02110", country="US"
            ),
            authorized_at=stamp(self.clock.now()),
            card_kept_until=stamp(self.clock.now() + timedelta(days=30)),
            cvv_kept_until=stamp(self.clock.now() + timedelta(hours=72)),
            document_id=new_id("doc"),
        )

    def signed(self, payment_id: str) -> DocumentSigned:
        """The signed authorization of a payment."""
        return DocumentSigned(
            document_id=self.row(payment_id).document_id or new_id("doc"),
            context=PaymentContext.FromString(self.row(payment_id).context),
            title="Credit card authorization",
            signer_name="Grace Hopper",
            signature_kind="drawn",
            terms_version="card-authorization-2026-11",
            terms_sha256="0" * 64,
            signed_at=stamp(self.clock.now()),
            origin=WireOrigin(ip="198.51.100.4"),
            pdf=signed_pdf(),
            pdf_sha256="1" * 64,
        )

    def hear(self, message: Message) -> None:
        """Lets the CRM act on an event as its worker does."""
        kind = event_type_of(message)
        meta = EventMeta(
            event_id=new_event_id(),
            type=kind.type,
            aggregate_type=kind.aggregate,
            aggregate_id="",
            sequence=1,
            occurred_at=self.clock.now(),
            producer=kind.producer,
            agency_id=self.agency_id,
            traceparent="",
        )
        reaction = self.handlers.reaction(kind.type)
        assert reaction is not None
        assert reaction.handlers
        with self.deps.core.database.transaction() as session:
            reaction.handle(session, message, meta)

    def browser(self, agent: Actor) -> "Browser":
        """A browser in which an agent has signed in."""
        app = create_app(self.deps)
        token = new_link_token()
        with self.deps.core.database.transaction() as session:
            now = self.clock.now()
            session.execute(
                insert(session_tables.sessions).values(
                    id=new_id("ses"),
                    token_sha256=token_sha256(token),
                    subject=agent.agent_id,
                    data={"stage": Stage.SIGNED_IN},
                    created_at=now,
                    last_seen_at=now,
                    ip="",
                    user_agent="",
                )
            )
        return Browser(app, self.deps.core.sessions.cookie_name, token)

    def row(self, payment_id: str) -> PaymentRow:
        """A payment as it is stored."""
        with self.deps.core.database.read() as session:
            row = session.get_one(PaymentRow, payment_id)
            session.expunge(row)
            return row

    def events(self, wanted: type[Event]) -> list[Event]:
        """What the CRM published of one kind, oldest first."""
        found = []
        for message in self._published():
            if isinstance(message, wanted):
                found.append(message)
        return found

    def _published(self) -> list[Message]:
        outbox = event_tables.outbox
        with self.deps.core.database.read() as session:
            rows = session.execute(select(outbox.c.envelope).order_by(outbox.c.id)).scalars().all()
        envelopes = [Envelope.FromString(row) for row in rows]
        return [CATALOGUE[envelope.type].message_class.FromString(envelope.payload) for envelope in envelopes]


class Browser:
    """A test client that carries an agent's session and sends the form token of the page it saw last."""

    def __init__(self, app: Flask, cookie: str, token: str) -> None:
        self.app = app
        self.token = token
        self._client: FlaskClient = app.test_client()
        self._client.set_cookie(cookie, token, domain="localhost")
        self._csrf = ""

    @property
    def plain(self) -> FlaskClient:
        """The client itself, with the session and without tokens."""
        return self._client

    def get(self, path: str, **kwargs: Any) -> TestResponse:  # Any: as Flask's own
        answer = self._client.get(path, **kwargs)
        if answer.mimetype == "text/html" and (found := re.search(r'name="csrf-token" content="([^"]+)"', answer.text)):
            self._csrf = found[1]
        return answer

    def post(self, path: str, data: Mapping[str, object] | None = None) -> TestResponse:
        """Sends a form."""
        if not self._csrf:
            self.get("/payments")
        return self._client.post(path, data={"csrf_token": self._csrf, **(data or {})})

    def post_in_place(self, path: str, data: Mapping[str, object] | None = None) -> TestResponse:
        """Sends a form as a page does that must not be loaded anew."""
        if not self._csrf:
            self.get("/payments")
        headers = {"X-CSRFToken": self._csrf, "Accept": "application/json"}
        return self._client.post(path, data=dict(data or {}), headers=headers)

    def send(self, path: str, body: object) -> TestResponse:
        """Sends JSON as a page's script does."""
        if not self._csrf:
            self.get("/payments")
        return self._client.post(path, json=body, headers={"X-CSRFToken": self._csrf, "Accept": "application/json"})


def usd(minor: int) -> Money:
    """An amount in US cents."""
    return Money(minor=minor, currency="USD")
