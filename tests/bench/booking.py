"""`python -m tests.bench.booking`: how long the CRM takes for the page of a booking with many payments.

All in this process and on a database of its own, as tests.bench.lists does it. `cpu_ms` is the processor's time, which
other programs disturb least. Prints one JSON document.
"""

import argparse
import json
import os
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from chassis.db import open_database
from chassis.ids import new_id
from chassis.logging import configure_logging
from services.crm.models import Base
from services.crm.parts import Dependencies
from services.crm.paying.links.models import PaymentLinkRow
from services.crm.paying.links.rules import LinkState
from services.crm.paying.payments.models import PaymentRow
from services.crm_demo.large import import_large
from tests.bench.lists import measure_page, open_crm

TARGET_CPU_MS = 60.0


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    configure_logging("crm", level="ERROR")
    with tempfile.TemporaryDirectory(prefix="wv-bench-booking-") as folder:
        url = f"sqlite:///{Path(folder) / 'crm.db'}"
        database = open_database(url, name="bench")
        Base.metadata.create_all(database.engine)
        database.dispose()
        deps = open_crm(url)
        made = import_large(deps, clients=given.payments, payments=given.payments * 5)
        with deps.core.database.transaction() as session:
            booking_id = gather(session, deps, made.busiest_agent_id, given.payments)
        found = measure_page(deps, made.busiest_agent_id, f"/bookings/{booking_id}", given.times)
        deps.core.database.dispose()
    about = {"payments": given.payments, "cores": os.cpu_count(), "load": os.getloadavg()}
    print(json.dumps({"about": about, "target_cpu_ms": TARGET_CPU_MS, **found}, indent=2))
    return 0


def gather(session: Session, deps: Dependencies, agent_id: str, payments: int) -> str:
    """Gives the agent's booking with most payments so many, each with a link; returns the booking's id."""
    mine = select(PaymentRow).where(PaymentRow.agent_id == agent_id)
    most = mine.with_only_columns(PaymentRow.booking_id, func.min(PaymentRow.segment_id)).group_by(
        PaymentRow.booking_id
    )
    booking_id, segment_id = session.execute(most.order_by(func.count().desc()).limit(1)).one()
    here = session.scalars(mine.where(PaymentRow.booking_id == booking_id)).all()
    others = session.scalars(mine.where(PaymentRow.booking_id != booking_id).limit(payments - len(here))).all()
    moved = update(PaymentRow).where(PaymentRow.id.in_([row.id for row in others]))
    session.execute(moved.values(booking_id=booking_id, segment_id=segment_id))
    linked = set(session.scalars(select(PaymentLinkRow.payment_id).where(PaymentLinkRow.agent_id == agent_id)))
    states = [state for state in LinkState if state is not LinkState.ISSUED]
    for number, row in enumerate([*here, *others]):
        if row.id not in linked:
            session.add(_link(row, booking_id, states[number % len(states)], deps))
    return str(booking_id)


def _link(payment: PaymentRow, booking_id: str, state: LinkState, deps: Dependencies) -> PaymentLinkRow:
    now = deps.core.clock.now()
    return PaymentLinkRow(
        id=new_id("link"),
        payment_id=payment.id,
        agency_id=payment.agency_id,
        agent_id=payment.agent_id,
        booking_id=booking_id,
        client_id=payment.payer_client_id,
        email="client@example.com",
        state=state.value,
        request_key=new_id("key"),
        token_sha256="",
        issue=1,
        terms_text="I authorize this payment.",
        terms_version="1",
        created_at=now,
        issued_at=now,
        expires_at=now + timedelta(days=7),
        sent_at=now,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.booking", description=__doc__)
    parser.add_argument("--payments", type=int, default=150)
    parser.add_argument("--times", type=int, default=30)
    return parser


if __name__ == "__main__":
    sys.exit(main())
