"""Processes that are killed exactly at a step of a charge, a refund or a standing order: between two of its parts.

A step is a function of the code under test, before it begins or after it has returned. In the process that is to die,
and there alone, the function is wrapped: when the step is reached for the first time, the process sends itself SIGKILL.
The code itself knows nothing of it. Whoever is killed is started anew, and goes on to the end.
"""

import contextlib
import functools
import multiprocessing
import os
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from google.protobuf.message import Message
from sqlalchemy import select

from chassis.bus.catalogue import CATALOGUE
from chassis.errors import WayvaultError
from protos.wayvault.events.v1.envelope_pb2 import Envelope
from protos.wayvault.events.v1.events_pb2 import PaymentProcessed, PaymentRefunded
from services.crm.paying.charging.charging_grpc import GrpcCharging
from services.crm.paying.charging.models import PaymentChargeRow
from services.crm.paying.charging.refunds import Refunds
from services.crm.paying.charging.service import Charges
from services.vault.charging.gateways.stripe.adapter import StripeGateway
from services.vault.charging.mandates import MandateService
from services.vault.charging.refunds import RefundService
from services.vault.charging.service import ChargeService
from services.vault.charging.settling import Settling
from tests.chaos.charging import orders, programs
from tests.chaos.charging.kills import free_port, furnished, prove
from tests.chaos.charging.programs import Place
from tests.support.crm_paying import ORIGIN, usd
from tests.support.gateway_sim import Book
from tests.support.gateway_sim import make_server as simulator

Told = TypeVar("Told", bound=Message)
_CONTEXT = multiprocessing.get_context("fork")
_PATIENCE: Final = 150.0
_BACK: Final = 500_00


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`words` says what is done and what is not yet, when `program` is killed: before or after `call` of `owner`."""

    program: str
    words: str
    owner: type
    call: str
    after: bool = False

    @property
    def mark(self) -> str:
        return f"reached-{self.program}-{self.owner.__name__}-{self.call}-{'after' if self.after else 'before'}"

    def plant(self, place: Place, earlier: "Steps") -> None:
        """In the process that is to be killed: the first to come here ends it, once the earlier steps were reached."""
        inner: Callable[..., Any] = getattr(self.owner, self.call)

        @functools.wraps(inner)
        def until_the_step(*args: Any, **kwargs: Any) -> Any:  # Any: whatever the function takes and gives
            if not self.after:
                self._end(place, earlier)
            answer = inner(*args, **kwargs)
            if self.after:
                self._end(place, earlier)
            return answer

        setattr(self.owner, self.call, until_the_step)

    def _end(self, place: Place, earlier: "Steps") -> None:
        if not all(step.reached(place) for step in earlier):
            return
        with contextlib.suppress(FileExistsError):
            (place.folder / self.mark).touch(exist_ok=False)
            os.kill(os.getpid(), signal.SIGKILL)

    def reached(self, place: Place) -> bool:
        return (place.folder / self.mark).exists()


Steps = tuple[Step, ...]


def _step(program: str, words: str, owner: type, call: str, *, after: bool = False) -> Step:
    return Step(program=program, words=words, owner=owner, call=call, after=after)


_LOST = _step("charging", "charged at the gateway, its answer not committed", StripeGateway, "charge", after=True)

# What a charge is made of, in order. Where there are two, the first makes the work for the second.
CHARGE: Final = (
    (_step("crm", "intent committed in the CRM, charging not asked", GrpcCharging, "charge"),),
    (_step("charging", "asked, nothing committed in charging", ChargeService, "_intend"),),
    (_step("charging", "intent committed in charging, gateway not told", StripeGateway, "prepare"),),
    (_step("charging", "gateway told of it without a card, that not committed", StripeGateway, "prepare", after=True),),
    (_step("charging", "asking committed, the card not sent", StripeGateway, "charge"),),
    (_step("gateway", "the card arrived, nothing charged", Book, "confirm"),),
    (_step("gateway", "charged at the gateway, not answered", Book, "confirm", after=True),),
    (_LOST,),
    (_step("charging", "outcome committed in charging, the CRM not answered", ChargeService, "charge", after=True),),
    (_step("crm", "charging answered, nothing of it committed", GrpcCharging, "charge", after=True),),
    (_step("crm", "outcome committed with its event, event not sent", Charges, "_take_over", after=True),),
    (_LOST, _step("charging", "poller: the gateway not yet asked", StripeGateway, "find_out")),
    (_LOST, _step("charging", "poller: it knows, nothing committed", StripeGateway, "find_out", after=True)),
    (_LOST, _step("charging", "poller: outcome committed, the CRM has not heard", Settling, "settle", after=True)),
    (_LOST, _step("worker", "worker: charging not yet asked what became of it", GrpcCharging, "charges_of")),
    (_LOST, _step("worker", "worker: charging answered, nothing committed", GrpcCharging, "charges_of", after=True)),
    (_LOST, _step("worker", "worker: outcome committed, event not sent", Charges, "_take_over", after=True)),
)

_ANSWER_LOST = _step(
    "charging", "given back at the gateway, its answer not committed", StripeGateway, "refund", after=True
)
REFUND: Final = (
    (_step("crm", "intent committed in the CRM, charging not asked", GrpcCharging, "refund"),),
    (_step("charging", "asked, nothing set aside", RefundService, "_reserve"),),
    (_step("charging", "set aside and committed, gateway not asked", RefundService, "ask"),),
    (_step("gateway", "asked, nothing given back", Book, "refund"),),
    (_step("gateway", "given back at the gateway, not answered", Book, "refund", after=True),),
    (_ANSWER_LOST,),
    (_step("charging", "outcome committed in charging, the CRM not answered", RefundService, "refund", after=True),),
    (_step("crm", "charging answered, nothing of it committed", GrpcCharging, "refund", after=True),),
    (_step("crm", "outcome committed with its event, event not sent", Refunds, "_take_over", after=True),),
    (_ANSWER_LOST, _step("charging", "poller: the gateway not yet asked", RefundService, "ask")),
    (_ANSWER_LOST, _step("charging", "poller: it knows, nothing committed", RefundService, "_record")),
    (_ANSWER_LOST, _step("worker", "worker: charging not yet asked", GrpcCharging, "refund")),
    (_ANSWER_LOST, _step("worker", "worker: charging answered, nothing committed", GrpcCharging, "refund", after=True)),
)

# Of standing orders: the card is kept by the first charge, the second is by mandate, then the card is forgotten.
MANDATE: Final = (
    (_step("charging", "charged and kept, nothing of either committed", StripeGateway, "charge", after=True),),
    (_step("worker", "the day's intent committed, charging not asked", GrpcCharging, "charge"),),
    (_step("charging", "asking committed, the kept card not charged", StripeGateway, "charge_mandate"),),
    (_step("gateway", "the kept card charged, not answered", Book, "confirm", after=True),),
    (_step("charging", "kept card charged, not committed", StripeGateway, "charge_mandate", after=True),),
    (_step("worker", "charging answered, nothing of it committed", GrpcCharging, "charge", after=True),),
    (_step("worker", "charged and committed, the order not moved on", Charges, "_take_over", after=True),),
    (_step("worker", "the order has ended, charging not asked to forget", GrpcCharging, "end_mandate"),),
    (_step("charging", "asked to forget, the gateway not", StripeGateway, "end_mandate"),),
    (_step("gateway", "forgotten at the gateway, not answered", Book, "detach", after=True),),
    (_step("charging", "forgotten at the gateway, not committed", StripeGateway, "end_mandate", after=True),),
    (_step("charging", "forgetting committed, the worker not answered", MandateService, "end", after=True),),
    (_step("worker", "forgotten, that not committed in the CRM", GrpcCharging, "end_mandate", after=True),),
)

# ---------------------------------------------------------------- the processes


def gateway(place: Place) -> None:
    book = Book()
    book.resume(place.books)
    simulator(place.gateway_port, book).serve_forever()


def clicks(place: Place) -> None:
    """The agent: charges what waits, until nothing does."""
    programs.click(programs.crm_of(place), place)


def clicks_refund(place: Place) -> None:
    """The agent: gives a part back, by one click; killed, they click again on the page that they had."""
    deps = programs.crm_of(place)
    actor = deps.access.directory.actor(place.agent_id)
    assert actor is not None
    with deps.core.database.read() as session:
        payment_id = session.scalars(select(PaymentChargeRow.payment_id)).one()
    with contextlib.suppress(WayvaultError):
        deps.paying.refunds.refund(actor, payment_id, amount=usd(_BACK), reason="Cancelled", seen=0, origin=ORIGIN)


def worker(place: Place) -> None:
    """The CRM's worker: it finds out, carries refunds out, keeps standing orders, has cards forgotten."""
    paying = programs.crm_of(place).paying
    for act in (paying.refunds.carry_out, paying.order_keeping.run, paying.order_keeping.forget):
        threading.Thread(target=programs.for_ever, args=(act,), daemon=True).start()
    programs.for_ever(paying.charges.find_out)


Acts = dict[str, Callable[[Place], None]]
_ALWAYS: Final[Acts] = {"gateway": gateway, "charging": programs.charging, "worker": worker}


def killed_at(place: Place, steps: Steps, acts: Acts, done: Callable[[Place], bool]) -> None:
    """Runs the processes until it is done; each step's program is killed there, once, and started anew."""
    alive = {name: _started(act, place, steps, name) for name, act in acts.items()}
    killed: list[str] = []
    try:
        ends = time.monotonic() + _PATIENCE
        # Asked at every turn: it also goes to the hour in which something is to be done.
        while not done(place) or len(killed) < len(steps):
            assert time.monotonic() < ends, [(step.words, step.reached(place)) for step in steps]
            for name, process in alive.items():
                process.join(0.01)
                if process.exitcode == -signal.SIGKILL:
                    killed.append(name)
                    alive[name] = _started(acts[name], place, steps, name)
                else:
                    assert not process.exitcode, f"{name} ended by itself: {process.exitcode}"
    finally:
        for process in alive.values():
            process.kill()
            process.join()
    assert killed == [step.program for step in steps]


def _started(
    act: Callable[[Place], None], place: Place, steps: Steps, name: str
) -> "multiprocessing.process.BaseProcess":
    def live() -> None:
        for number, step in enumerate(steps):
            if step.program == name:
                step.plant(place, steps[:number])
        act(place)
        os._exit(0)

    process = _CONTEXT.Process(target=live)
    process.start()
    return process


# ---------------------------------------------------------------- what is run, and what is proven


@dataclass(frozen=True, slots=True)
class Template:
    """A place that was furnished once, to be copied for each step."""

    place: Place
    age: float

    @classmethod
    def of(cls, place: Place) -> "Template":
        return cls(place, time.time() - place.began)

    def copy(self, folder: Path) -> Place:
        shutil.copytree(self.place.folder, folder, dirs_exist_ok=True)
        return replace(
            self.place,
            folder=folder,
            began=time.time() - self.age,
            charging_port=free_port(),
            gateway_port=free_port(),
        )


def with_a_card(folder: Path) -> Template:
    """A payment that its client has authorized."""
    return Template.of(furnished(folder, 1))


def with_a_charge(folder: Path) -> Template:
    """A payment that was charged."""
    place = furnished(folder, 1)
    killed_at(place, (), _ALWAYS | {"crm": clicks}, _is_charged)
    return Template.of(place)


def with_a_plan(folder: Path) -> Template:
    """A standing order of two charges that its client has signed."""
    return Template.of(orders.with_orders(folder, 1, 2))


def a_charge_is_made_once(place: Place, steps: Steps) -> None:
    killed_at(place, steps, _ALWAYS | {"crm": clicks}, _is_charged)
    prove(place, 1)
    assert len(_told(place, PaymentProcessed)) == 1


def a_refund_is_made_once(place: Place, steps: Steps) -> None:
    acts = _ALWAYS | {"crm": clicks_refund}
    killed_at(place, steps, acts, lambda place: _column(place, "SELECT state FROM payment_refund") == ["succeeded"])
    prove(place, 1)
    (refund,) = programs.book_of(place).refunds
    assert (refund["amount"], refund["status"]) == (_BACK, "succeeded")
    assert _column(place, "SELECT state FROM refunds", "vault") == ["succeeded"]
    assert _column(place, "SELECT refunded_minor FROM charges", "vault") == [_BACK]
    assert _column(place, "SELECT refunded_minor FROM payment_charge") == [_BACK]
    (told,) = _told(place, PaymentRefunded)
    assert told.refunded.minor == _BACK


def each_day_is_charged_once(place: Place, steps: Steps) -> None:
    killed_at(place, steps, _ALWAYS, lambda place: orders.left(place) == 0)
    orders.prove_each_day_once(place, 1, 2)
    assert len(_told(place, PaymentProcessed)) == 2


def _is_charged(place: Place) -> bool:
    return _state(place) == "succeeded"


def _state(place: Place) -> str:
    found = _column(place, "SELECT state FROM payment_charge")
    return str(found[0]) if found else ""


def _column(place: Place, query: str, database: str = "crm") -> list[Any]:
    with closing(sqlite3.connect(place.folder / f"{database}.db", timeout=30)) as connection:
        return [row[0] for row in connection.execute(query)]


def _told(place: Place, wanted: type[Told]) -> list[Told]:
    """What the CRM's worker will send, or has."""
    envelopes = map(Envelope.FromString, _column(place, "SELECT envelope FROM bus_outbox ORDER BY id"))
    messages = (CATALOGUE[one.type].message_class.FromString(one.payload) for one in envelopes)
    return [message for message in messages if isinstance(message, wanted)]
