"""A run of charges under kill -9 of CRM, charging and gateway, and the proof that each exists once."""

import multiprocessing
import os
import random
import signal
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from protos.wayvault.events.v1.events_pb2 import PaymentContext
from protos.wayvault.vault.v1 import charging_pb2 as pb
from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.rules import PaymentState, PaymentType
from services.crm.paying.payments.service import NewPayment, open_payment
from tests.chaos.charging import programs
from tests.chaos.charging.programs import Place
from tests.support.crm_charging import fee
from tests.support.crm_paying import CrmHouse
from tests.support.gateway_sim import Book
from tests.support.tls import Authority
from tests.support.vault_kit import VISA, Kit, as_caller, key, make_kit

_CONTEXT = multiprocessing.get_context("fork")
_PATIENCE = 3000.0


def unsettled(place: Place) -> int:
    """How many payments wait to be charged by their agent."""
    query = "SELECT count(*) FROM payment WHERE state = 'authorized' AND card_token IS NOT NULL"
    with closing(sqlite3.connect(place.folder / "crm.db", timeout=30)) as connection:
        return int(connection.execute(query).fetchone()[0])


@contextmanager
def killed_at_random(
    place: Place,
    each: int,
    seed: int,
    say: Callable[[str], None] = lambda _: None,
    *,
    crm: Callable[[Place], None] = programs.crm,
    left_of: Callable[[Place], int] = unsettled,
) -> Iterator[list[str]]:
    """Runs the three processes and kills one of them whenever the gateway has noted about `each` things more; gives the
    names of those that were killed. Leaves when nothing is left by `left_of`; `say` tells how much is."""
    chance, kills = random.Random(seed), []
    acts: dict[str, Callable[[Place], None]] = {
        "gateway": programs.gateway,
        "charging": programs.charging,
        "crm": crm,
    }
    alive = {name: _started(act, place) for name, act in acts.items()}
    try:
        ends, next_kill = time.monotonic() + _PATIENCE, chance.randint(0, each)
        while (left := left_of(place)) > 0:
            assert time.monotonic() < ends, f"{left} charges are still left"
            if _steps(place) >= next_kill:
                name = chance.choice(sorted(acts))
                os.kill(alive[name].pid or 0, signal.SIGKILL)
                alive[name].join()
                alive[name] = _started(acts[name], place)
                kills.append(name)
                say(f"{left} charges are left; {name} was killed, kill number {len(kills)}")
                next_kill = _steps(place) + chance.randint(1, each)
            alive["crm"].join(0.01)  # also what waits for the next step
        yield kills
    finally:
        for process in alive.values():
            process.kill()
            process.join()


def _started(act: Callable[[Place], None], place: Place) -> "multiprocessing.process.BaseProcess":
    def live() -> None:
        act(place)
        os._exit(0)

    process = _CONTEXT.Process(target=live)
    process.start()
    return process


def _steps(place: Place) -> int:
    """What the gateway has noted so far: intents, confirmations, cancellations."""
    return place.books.read_bytes().count(b"\n") if place.books.exists() else 0


def furnished(folder: Path, charges: int) -> Place:
    """Authorized service fees in a CRM's database, their cards in a vault's, and the gateway's key."""
    crm, kit = CrmHouse(folder), make_kit(folder)
    kit.enrol(crm.maya.agent_id, agency=crm.agency_id)
    first = fee(crm)
    with crm.deps.core.database.transaction() as session:
        row = session.get_one(PaymentRow, first)
        row.state, row.card_token = PaymentState.VOIDED, None
        context = PaymentContext.FromString(row.context)
        for _ in range(charges):
            new = NewPayment(context=context, payer_name="Grace Hopper", type=PaymentType.SERVICE_FEE, due_on=None)
            made = session.get_one(PaymentRow, open_payment(session, new, at=crm.clock.now()).id)
            intake = kit.open_intake(made.id, agency_id=crm.agency_id, owner_agent_id=crm.maya.agent_id)
            made.card_token = str(kit.store_card(kit.store_request(intake)).card_token)
            made.state, made.authorized_at = PaymentState.AUTHORIZED, crm.clock.now()
    return ready(folder, crm, kit)


def ready(folder: Path, crm: CrmHouse, kit: Kit) -> Place:
    """The place of a run, once both databases have all that it begins with."""
    crm.deps.core.database.dispose()
    kit.vault.close()
    authority = Authority.create(folder / "certs")
    place = Place(
        folder=folder,
        began=time.time(),
        charging_port=free_port(),
        gateway_port=free_port(),
        agent_id=crm.maya.agent_id,
        crm_tls=authority.issue("crm"),
        charging_tls=authority.issue("charging"),
    )
    _give_key(place, crm.agency_id)
    return place


def _give_key(place: Place, agency_id: str) -> None:
    program = programs.charging_of(place)
    request = pb.SetGatewayKeyRequest(idempotency_key=key(), agency_id=agency_id, gateway="stripe", key=Book().key)
    with as_caller("operator", "SetGatewayKey", 60.0):
        program.rpc.SetGatewayKey(request, None)  # type: ignore[arg-type]
    program.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def prove(place: Place, charges: int) -> None:
    with closing(sqlite3.connect(place.folder / "vault.db")) as vault:
        rows = vault.execute("SELECT id, payment_id, state FROM charges").fetchall()
    payment_of = {charge_id: payment_id for charge_id, payment_id, _ in rows}
    paid = Counter(payment_of[charge_id] for charge_id in programs.paid_at_the_gateway(place))
    assert len(paid) == charges
    assert set(paid.values()) == {1}
    assert Counter(payment for _, payment, state in rows if state == "succeeded") == paid
    assert not [state for _, _, state in rows if state in ("intent", "asking", "needs_client")]
    with closing(sqlite3.connect(place.folder / "crm.db")) as crm:
        states = dict(crm.execute("SELECT state, count(*) FROM payment_charge GROUP BY state").fetchall())
    assert states == {"succeeded": charges}
    prove_no_card(place.folder)


def prove_no_card(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    assert not [path.name for path in files if VISA.encode() in path.read_bytes()]
    planted = folder / "planted"
    planted.write_text(f"a card: {VISA}")
    assert VISA.encode() in planted.read_bytes()
