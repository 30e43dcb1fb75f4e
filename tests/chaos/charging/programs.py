"""The processes of a charge, each forked so that it may be killed: CRM, charging, gateway. Their clocks run fast."""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import select

from chassis.db import open_database
from chassis.errors import WayvaultError
from chassis.rpc import TlsFiles, open_channel
from services.crm.bootstrap import bootstrap
from services.crm.config import CrmSettings
from services.crm.core.actor import Actor
from services.crm.parts import Dependencies
from services.crm.paying.charging.charging_grpc import GrpcCharging
from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.rules import PENDING
from services.vault.charging.accounts import openers
from services.vault.charging.bootstrap import Charging, join_rooms, open_server
from services.vault.charging.gateways.port import GatewaySettings
from services.vault.transit.service import ChargingTransit
from tests.support.clock import FakeClock
from tests.support.crm_paying import ORIGIN, FakeVault, OpenLetters
from tests.support.gateway_sim import Book, Fault, make_server
from tests.support.vault_kit import open_kit

# How much faster than ours their clocks run: the poller's minutes become seconds.
SPEED = 60
_AT_ONCE = 4
_PAUSE = 0.05
_FLAKY = 0.06


class FastClock:
    """The same moment in every process that knows when it began. Each byte of `skipped` is an hour that was left out
    because nothing was to be done in it."""

    def __init__(self, began: float, skipped: Path) -> None:
        self._began = began
        self._skipped = skipped

    def now(self) -> datetime:
        hours = self._skipped.stat().st_size if self._skipped.exists() else 0
        return FakeClock().now() + timedelta(hours=hours, seconds=(time.time() - self._began) * SPEED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run's processes find each other and their files."""

    folder: Path
    began: float
    charging_port: int
    gateway_port: int
    agent_id: str
    crm_tls: TlsFiles
    charging_tls: TlsFiles

    @property
    def books(self) -> Path:
        return self.folder / "gateway.jsonl"

    @property
    def skipped(self) -> Path:
        return self.folder / "skipped"

    @property
    def clock(self) -> FastClock:
        return FastClock(self.began, self.skipped)

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"


class FlakyBook(Book):
    """Now and then an answer is lost, or is a 500, before or after the work was done."""

    def fault_for(self, path: str) -> Fault | None:
        if random.random() > _FLAKY:
            return None
        return Fault(path=path, after=random.random() < 0.5, status=random.choice((0, 500)))


def gateway(place: Place) -> None:
    book = FlakyBook()
    book.resume(place.books)
    make_server(place.gateway_port, book).serve_forever()


def charging_of(place: Place) -> Charging:
    kit = open_kit(
        open_database(f"sqlite:///{place.folder}/vault.db", name="charging", pool_size=8),
        place.folder,
        clock=place.clock,
    )
    core = kit.vault.core
    settings = GatewaySettings(stripe_url=place.gateway_url, hosts=[place.gateway_url], return_url="https://p.example/")
    return join_rooms(
        core.database,
        ChargingTransit(cards=kit.transit, seals=kit.transit, health=core.transit.health),
        audit=core.audit,
        clock=core.clock,
        gateways=openers(settings),
        seals=kit.vault.sealing_keys,
    )


def charging(place: Place) -> None:
    program = charging_of(place)
    server = open_server(program, f"127.0.0.1:{place.charging_port}", place.charging_tls, workers=_AT_ONCE * 2)
    server.start()
    for_ever(program.settling.run)


def crm(place: Place) -> None:
    """An agent who charges what waits, until it is charged, and the worker that finds out."""
    deps = crm_of(place)
    threading.Thread(target=for_ever, args=(deps.paying.charges.find_out,), daemon=True).start()
    click(deps, place)


def click(deps: Dependencies, place: Place) -> None:
    """The agent's part: charges what waits, until nothing does."""
    actor = deps.access.directory.actor(place.agent_id)
    assert actor is not None
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while waiting := pending(deps):
            list(pool.map(lambda payment_id: _charge(deps, actor, payment_id), waiting))


def worker(place: Place) -> None:
    """The CRM's worker: it charges what standing orders have due, finds out, and has ended orders' cards forgotten."""
    keeping, charges = (deps := crm_of(place)).paying.order_keeping, deps.paying.charges
    threading.Thread(target=for_ever, args=(charges.find_out,), daemon=True).start()
    threading.Thread(target=for_ever, args=(keeping.forget,), daemon=True).start()
    for_ever(keeping.run)


def crm_of(place: Place) -> Dependencies:
    channel = open_channel(f"127.0.0.1:{place.charging_port}", place.crm_tls, "charging.wayvault.internal")
    settings = CrmSettings(
        state_dir=place.folder,
        database_url=f"sqlite:///{place.folder}/crm.db",
        secret_key=SecretStr("a secret key that only this test run has"),
    )
    return bootstrap(
        settings,
        clock=place.clock,
        database=open_database(settings.database_url, name="crm", pool_size=_AT_ONCE + 4),
        vault=FakeVault(FakeClock()),
        charging=GrpcCharging(channel),
        letters=OpenLetters(),
    )


def pending(deps: Dependencies) -> Sequence[str]:
    with deps.core.database.read() as session:
        return session.scalars(select(PaymentRow.id).where(PaymentRow.state.in_(PENDING)).order_by(PaymentRow.id)).all()


def _charge(deps: Dependencies, actor: Actor, payment_id: str) -> None:
    """One click. What is refused or unknown is clicked again in the next round, as a person would."""
    with contextlib.suppress(WayvaultError):
        deps.paying.charges.charge(actor, payment_id, origin=ORIGIN)


def for_ever(work: Callable[[], object]) -> None:
    pause = threading.Event()
    while not pause.wait(_PAUSE):
        with contextlib.suppress(WayvaultError):
            work()


def book_of(place: Place) -> Book:
    """What the gateway noted, to read."""
    book = Book()
    book.resume(place.books)
    if book.journal is not None:
        book.journal.close()
        book.journal = None
    return book


def paid_at_the_gateway(place: Place) -> Iterator[str]:
    """The ids of our charges that took money, one for each time that they did."""
    for intent in book_of(place).paid():
        yield intent["metadata"]["wayvault_charge"]
