"""The CRM's pages over a fresh SQLite file, with a clock that tests turn, and browsers with cookies and CSRF."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from pathlib import Path

import pyotp
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from werkzeug.test import TestResponse

from chassis.db import open_database
from chassis.web.passwords import Passwords
from services.crm.access.agency.service import AgencyData, AgentData
from services.crm.app import create_app
from services.crm.bootstrap import bootstrap
from services.crm.config import CrmSettings
from services.crm.core.actor import Actor, Role
from services.crm.models import Base
from services.crm.parts import Dependencies
from services.crm.sales.clients.service import ClientData, ClientDetail
from services.crm.trips.bookings.service import BookingData, BookingDetail, BookingStatus, SegmentData, SegmentKind
from tests.support.clock import FakeClock
from tests.support.crm_paying import FakeVault, OpenLetters, usd
from tests.support.crm_trail import FakeTrail
from tests.support.tables import furnished

PASSWORD = "harbour lantern velvet ostrich"


@dataclass
class Browser:
    """One browser: its cookies, and the CSRF token of the page it saw last."""

    client: FlaskClient
    token: str = ""
    page: TestResponse | None = field(default=None)

    def get(self, path: str, **options: object) -> TestResponse:
        return self._see(self.client.get(path, **options))

    def post(self, path: str, data: Mapping[str, object] | None = None, **options: object) -> TestResponse:
        return self._see(self.client.post(path, data={"csrf_token": self.token, **(data or {})}, **options))

    def _see(self, response: TestResponse) -> TestResponse:
        self.page = response
        if response.mimetype == "text/html" and (
            found := re.search(r'name="csrf-token" content="([^"]+)"', response.text)
        ):
            self.token = found.group(1)
        return response


@dataclass(frozen=True, slots=True, kw_only=True)
class _Furniture:
    """Who and what is in a new site's database."""

    agency_id: str
    ada: Actor
    maya: Actor
    jonas: Actor
    secrets: tuple[tuple[str, str], ...]
    client: ClientDetail
    booking: BookingDetail


class CrmSite:
    """An agency with an admin and two agents; Maya has a client and a booking with a segment."""

    def __init__(self, folder: Path, *, database_url: str = "") -> None:
        self.clock = FakeClock()
        self.trail = FakeTrail()
        self.settings = CrmSettings(
            state_dir=folder,
            database_url=database_url or f"sqlite:///{folder}/crm.db",
            secret_key=SecretStr("a secret key that only this test run has"),
        )
        self.database = open_database(self.settings.database_url, name="crm", pool_size=10)
        self.restart()
        self._know(furnished(self.database, Base.metadata, self._furnish))

    def _know(self, known: "_Furniture") -> None:
        self.agency_id = known.agency_id
        self.ada, self.maya, self.jonas = known.ada, known.maya, known.jonas
        self.secrets: dict[str, str] = dict(known.secrets)
        self.client: ClientDetail = known.client
        self.booking: BookingDetail = known.booking
        self.segment_id = known.booking.segments[0].id

    def _furnish(self) -> "_Furniture":
        agency_id = self.deps.access.directory.create_agency(AgencyData(name="Harbour & Vine Travel")).id
        ada, adas = self._agent(agency_id, "Ada Lindqvist", "ada@harbour.example", Role.ADMIN)
        maya, mayas = self._agent(agency_id, "Maya Okafor", "maya@harbour.example")
        jonas, jonass = self._agent(agency_id, "Jonas Weber", "jonas@harbour.example")
        client = self.deps.sales.clients.create(
            maya, ClientData(first_name="Eleanor", last_name="Whitcombe", email="eleanor@mail.example")
        )
        return _Furniture(
            agency_id=agency_id,
            ada=ada,
            maya=maya,
            jonas=jonas,
            secrets=((ada.email, adas), (maya.email, mayas), (jonas.email, jonass)),
            client=client,
            booking=self._booking(maya, client),
        )

    def restart(self) -> None:
        """A new process over the same database."""
        self.vault = FakeVault(self.clock)
        self.letters = OpenLetters()
        self.deps: Dependencies = bootstrap(
            self.settings,
            clock=self.clock,
            database=self.database,
            passwords=Passwords(memory_kib=64, passes=1),
            vault=self.vault,
            letters=self.letters,
            trail=self.trail,
        )
        self.vault.know_people(self.deps.access.directory, self.database)
        self.app: Flask = create_app(self.deps)
        self.app.testing = False

    def browser(self) -> Browser:
        return Browser(self.app.test_client())

    def signed_in(self, actor: Actor) -> Browser:
        """A browser in which this agent has passed both steps."""
        browser = self.browser()
        assert self.give_password(browser, actor.email).status_code == 303
        self.next_step()
        browser.get("/sign-in/code")
        done = browser.post("/sign-in/code", {"code": self.code(actor.email)})
        assert done.status_code == 303, done.text
        browser.get("/account")
        return browser

    def give_password(self, browser: Browser, email: str, password: str = PASSWORD) -> TestResponse:
        browser.get("/sign-in")
        return browser.post("/sign-in", {"email": email, "password": password})

    def code(self, email: str) -> str:
        """What the agent's authenticator shows now."""
        return pyotp.TOTP(self.secrets[email]).at(self.clock.now())

    def next_step(self) -> None:
        """Lets the authenticator show its next code."""
        self.clock.advance(timedelta(seconds=30))

    def close(self) -> None:
        self.database.dispose()

    def _agent(self, agency_id: str, name: str, email: str, role: Role = Role.AGENT) -> tuple[Actor, str]:
        """The agent, and the secret of their authenticator."""
        agent = self.deps.access.directory.create_agent(agency_id, AgentData(name=name, email=email, role=role))
        self.deps.access.sign_in.set_password(agent.id, PASSWORD)
        secret = self.deps.access.sign_in.enrol_new_authenticator(agent.id)
        actor = self.deps.access.directory.actor(agent.id)
        assert actor is not None
        return actor, secret

    def _booking(self, maya: Actor, client: ClientDetail) -> BookingDetail:
        data = BookingData(
            title="Norwegian fjords", status=BookingStatus.BOOKED, currency="USD", passenger_ids=(client.id,)
        )
        booking = self.deps.trips.bookings.create(maya, data)
        segment = SegmentData(supplier_name="Aurora Cruises", kind=SegmentKind.CRUISE, price=usd(4_000_00))
        self.deps.trips.bookings.add_segment(maya, booking.id, segment, version=booking.version)
        return self.deps.trips.bookings.get(maya, booking.id)


def alike(browser: Browser, response: TestResponse) -> str:
    """The page without what is another in every answer: its form token and the nonce of its import map."""
    return re.sub(r' nonce="[^"]+"', "", response.text).replace(browser.token, "")


def text_of(response: TestResponse) -> str:
    """The page's words, without markup."""
    body = re.sub(r"<(script|style)[\s\S]*?</\1>", " ", response.text)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())
