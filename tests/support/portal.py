"""The portal with fakes around it: a vault that keeps nothing, letters kept open, a clock that tests turn."""

import base64
import io
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from google.protobuf.message import Message
from PIL import Image, ImageDraw
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import errors
from chassis.bus import CATALOGUE, EventMeta, event_type_of
from chassis.db import open_database
from chassis.ids import new_event_id, token_sha256
from chassis.sealing import Letter
from chassis.timestamps import stamp
from chassis.web.passwords import Passwords
from protos.wayvault.common.v1.common_pb2 import Money
from protos.wayvault.events.v1.envelope_pb2 import Envelope
from protos.wayvault.events.v1.events_pb2 import (
    Agency,
    Agent,
    Client,
    PaymentContext,
    PaymentLinkIssued,
    PaymentType,
    Policy,
    PublicPageNamed,
    Segment,
)
from services.portal.app import create_app
from services.portal.bootstrap import bootstrap
from services.portal.config import PortalSettings
from services.portal.models import Base, event_tables
from services.portal.origin import Origin
from services.portal.payment_request import PaymentRequest
from services.portal.payments.intake import Intake, StoredCard
from services.portal.worker import event_handlers
from tests.support.clock import FakeClock
from tests.support.tables import make_tables

TERMS = (
    "I authorize Harbour & Vine Travel to pass my card to Aurora Cruises for one charge of US$ 1,240.00.\n\n"
    "I understand that the supplier's cancellation terms apply. I can withdraw this authorization until my agent "
    "has given my card to the supplier."
)
TOKEN = "a-token-that-only-the-letter-holds"
LINK = "lnk_first"
PAYMENT = "pay_first"


class FakeCardIntake:
    """CardIntakePort as the vault behaves: slots are used once, the same key gets the same answer, and a card of the
    same payment replaces the one before. `refuse` is raised at the next store; `at_store` runs inside each."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.opened: list[dict[str, object]] = []
        self.live: dict[str, str] = {}
        self.used: set[str] = set()
        self.answers: dict[str, StoredCard] = {}
        self.stores = 0
        self.refuse: errors.WayvaultError | None = None
        self.down = False
        self.keeps_cvv = True
        self.cardholder = "Grace Hopper"
        self.at_store: Callable[[], None] | None = None

    def open_intake(self, *, idempotency_key: str, request: PaymentRequest, origin: Origin) -> Intake:
        if self.down:
            raise errors.Unavailable
        with self._lock:
            intake_id = f"int_{len(self.opened) + 1}"
            self.opened.append(
                {
                    "intake_id": intake_id,
                    "payment_id": request.payment_id,
                    "agency_id": request.agency_id,
                    "owner_agent_id": request.agent_id,
                    "card_retention_days": request.card_retention_days,
                    "cvv_retention_hours": request.cvv_retention_hours,
                }
            )
        return Intake(intake_id=intake_id, expires_at=self._clock.now() + timedelta(minutes=60))

    def store_card(self, *, idempotency_key: str, intake_id: str, sealed_card: str, origin: Origin) -> StoredCard:
        if self.at_store is not None:
            self.at_store()
        if self.down:
            raise errors.Unavailable
        if self.refuse is not None:
            refusal, self.refuse = self.refuse, None
            raise refusal
        with self._lock:
            self.stores += 1
            if idempotency_key in self.answers:
                return self.answers[idempotency_key]
            if intake_id in self.used:
                raise errors.IntakeUsed
            self.used.add(intake_id)
            payment_id = next(str(one["payment_id"]) for one in self.opened if one["intake_id"] == intake_id)
            token = f"card_{len(self.used)}"
            self.live[payment_id] = token
            self.answers[idempotency_key] = self._card(token)
            return self.answers[idempotency_key]

    def _card(self, token: str) -> StoredCard:
        now = self._clock.now()
        return StoredCard(
            card_token=token,
            brand="visa",
            last4="1111",
            cardholder_name=self.cardholder,
            card_kept_until=now + timedelta(days=30),
            cvv_kept_until=now + timedelta(hours=72) if self.keeps_cvv else None,
        )


class OpenLetters:
    """A LetterSealer that keeps what it seals."""

    def __init__(self) -> None:
        self.written: list[Letter] = []

    def seal(self, letter: Letter) -> str:
        self.written.append(letter)
        return f"sealed:{letter.letter_id}"


def context(payment_id: str = PAYMENT, **changes: object) -> PaymentContext:
    """Everything a payment's readers show, with changes to it."""
    made = PaymentContext(
        payment_id=payment_id,
        booking_id="bkg_1",
        booking_title="Norwegian Fjords for two",
        agency=Agency(
            id="agy_1",
            name="Harbour & Vine Travel",
            accent_colour="#0f5b61",
            phone="+1 (212) 555 0100",
            email="hello@harbour.example",
            time_zone="America/New_York",
        ),
        agent=Agent(id="agt_1", name="Maya Okafor", email="maya@harbour.example", phone="+1 (212) 555 0142"),
        payer=Client(id="cli_1", first_name="Grace", last_name="Hopper", email="grace@client.example"),
        segment=Segment(
            id="seg_1",
            supplier_name="Aurora Cruises",
            kind="cruise",
            begins_on="2027-06-05",
            ends_on="2027-06-12",
            description="Balcony cabin on deck 7",
        ),
        amount=Money(minor=124_000, currency="USD"),
        type=PaymentType.PAYMENT_TYPE_DEPOSIT,
        purpose="Deposit for your balcony cabin",
        due_on="2026-12-01",
        policy=Policy(card_retention_days=30, cvv_retention_hours=72),
    )
    made.MergeFrom(PaymentContext(**changes))  # type: ignore[arg-type]
    return made


def signature_png() -> str:
    """A drawn signature as the browser posts it."""
    image = Image.new("RGB", (900, 300), "white")
    ImageDraw.Draw(image).line([(60, 220), (180, 60), (300, 240), (480, 80), (820, 200)], fill="#14202b", width=6)
    out = io.BytesIO()
    image.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


class PortalWorld:
    """A portal over a fresh SQLite file."""

    def __init__(self, folder: Path, *, url: str = "", **settings: object) -> None:
        self.clock = FakeClock()
        self.intake = FakeCardIntake(self.clock)
        self.letters = OpenLetters()
        self.settings = PortalSettings(secret_key=SecretStr("s" * 40), **settings)  # type: ignore[arg-type]
        self.database = open_database(url or f"sqlite:///{folder}/portal.db", name="portal")
        make_tables(self.database, Base.metadata)
        self.deps = bootstrap(
            self.settings,
            clock=self.clock,
            database=self.database,
            intake=self.intake,
            letters=self.letters,
            passwords=Passwords(memory_kib=64, passes=1),
        )
        self._app = create_app(self.deps)

    @property
    def wsgi(self) -> Flask:
        """The application, to be served."""
        return self._app

    def client(self) -> FlaskClient:
        """A browser."""
        self._app.config["WTF_CSRF_ENABLED"] = False
        return self._app.test_client()

    def strict_client(self) -> FlaskClient:
        """A browser that must bring CSRF tokens."""
        self._app.config["WTF_CSRF_ENABLED"] = True
        return self._app.test_client()

    def tell(self, message: Message, *, agency_id: str = "agy_1") -> None:
        """Hands an event to its handler, as the consumer does."""
        declared = event_type_of(message)
        reaction = event_handlers(self.deps).reaction(declared.type)
        assert reaction is not None, declared.type
        assert reaction.handlers, declared.type
        meta = EventMeta(
            event_id=new_event_id(),
            type=declared.type,
            aggregate_type=declared.aggregate,
            aggregate_id="x",
            sequence=1,
            occurred_at=self.clock.now(),
            producer=declared.producer,
            agency_id=agency_id,
            traceparent="",
        )
        with self.database.transaction() as session:
            reaction.handle(session, message, meta)

    def issue(
        self,
        link_id: str = LINK,
        *,
        token: str = TOKEN,
        issue: int = 1,
        days: int = 14,
        about: PaymentContext | None = None,
        terms: str = TERMS,
        replaces: str = "",
    ) -> PaymentLinkIssued:
        """Has the CRM issue a link."""
        message = self.link_issued(
            link_id, token=token, issue=issue, days=days, about=about, terms=terms, replaces=replaces
        )
        self.tell(message)
        return message

    def link_issued(
        self,
        link_id: str = LINK,
        *,
        token: str = TOKEN,
        issue: int = 1,
        days: int = 14,
        about: PaymentContext | None = None,
        terms: str = TERMS,
        replaces: str = "",
    ) -> PaymentLinkIssued:
        """What the CRM says when it issues a link; one without a token is part of a visit."""
        return PaymentLinkIssued(
            link_id=link_id,
            context=about or context(),
            token_sha256=token_sha256(token) if token else "",
            issue=issue,
            expires_at=stamp(self.clock.now() + timedelta(days=days)),
            terms_text=terms,
            terms_version="2026-11",
            replaces_payment_id=replaces,
        )

    def opened(self, link_id: str = LINK, token: str = TOKEN) -> FlaskClient:
        """A browser that has opened the link."""
        browser = self.client()
        answer = browser.post(f"/pay/{link_id}/open", data={"token": token})
        assert answer.status_code == 303, answer.status_code
        return browser

    def form(self, link_id: str = LINK, intake_id: str = "", **changes: str) -> dict[str, str]:
        """A complete authorization form, with changes to it."""
        link = self.deps.links.find(link_id)
        assert link is not None
        if not intake_id:
            with self.database.read() as session:
                intake_id = _newest_intake(session, link_id)
        return {
            "line1": "12 Long Lane",
            "line2": "",
            "city": "Springfield",
            "region": "Illinois",
            "postal_code": "62701",
            "country": "US",
            "consent": "y",
            "signature_kind": "typed",
            "signature_text": "Grace Hopper",
            "signature_image": "",
            "intake_id": intake_id,
            "sealed_card": "eyJhbGciOiJFQ0RILUVTIn0..sealed",
            "offer_digest": link.offer_digest,
            **changes,
        }

    def submitted(self, link_id: str = LINK, **changes: str) -> FlaskClient:
        """A browser that has authorized the payment."""
        browser = self.opened(link_id)
        browser.get(f"/pay/{link_id}/authorize")
        answer = browser.post(f"/pay/{link_id}/authorize", data=self.form(link_id, **changes))
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return browser

    def published(self) -> list[Message]:
        """What the portal told the others, in order, once its worker has printed what was signed; but for the names of
        public pages, which come with every agent."""
        return [message for message in self._told() if not isinstance(message, PublicPageNamed)]

    def page_names(self) -> list[PublicPageNamed]:
        """By what names it told that agents' public pages are found."""
        return [message for message in self._told() if isinstance(message, PublicPageNamed)]

    def _told(self) -> list[Message]:
        while self.deps.printing.print_due():
            pass
        outbox = event_tables.outbox
        with self.database.read() as session:
            rows = session.execute(select(outbox.c.type, outbox.c.envelope).order_by(outbox.c.id)).all()
        return [_payload(row.type, row.envelope) for row in rows]

    def published_types(self) -> list[str]:
        return [type(message).__name__ for message in self.published()]

    def close(self) -> None:
        self.database.dispose()


def _newest_intake(session: Session, link_id: str) -> str:
    from services.portal.payments.models import IntakeRow

    found = session.scalars(select(IntakeRow.intake_id).where(IntakeRow.link_id == link_id)).all()
    return max(found, key=lambda one: int(one.removeprefix("int_")), default="int_none")


def _payload(event_type: str, envelope: bytes) -> Message:
    return CATALOGUE[event_type].message_class.FromString(Envelope.FromString(envelope).payload)
