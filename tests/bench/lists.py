"""`python -m tests.bench.lists`: how long the CRM takes for each list page over the data of `make demo-large`.

Pages are asked for in this process, as the busiest agent and as the admin who sees all, and timed from the request to
the whole answer (`ms`; `cpu_ms` leaves out what other programs took from the machine). Prints one JSON document.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import event, insert, select

from chassis.clock import SystemClock
from chassis.db import open_database
from chassis.ids import new_id, new_link_token, token_sha256
from chassis.lifecycle import forget_what_is_loaded
from chassis.logging import configure_logging
from services.crm.access.auth.rules import Stage
from services.crm.app import create_app
from services.crm.bootstrap import bootstrap
from services.crm.config import CrmSettings
from services.crm.core.actor import Role
from services.crm.models import session_tables
from services.crm.parts import Dependencies
from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.service import PaymentState
from services.crm.sales.clients.models import ClientRow
from services.crm.sales.groups.models import ClientGroupRow
from services.crm.trips.bookings.models import BookingRow
from services.crm_demo.large import import_large
from tests.support.clock import FakeClock
from tests.support.crm_paying import Browser, FakeVault, OpenLetters

TARGET_P95_MS = 150.0
_FRAGMENTS = ("/clients/search", "/bookings/people")

PAGES = {
    "dashboard": "/",
    "clients": "/clients",
    "clients, page 40": "/clients?page=40",
    "clients, newest first": "/clients?sort=newest",
    "clients, last changed": "/clients?sort=changed",
    "clients, by e-mail": "/clients?sort=email",
    "clients, by city": "/clients?sort=-city",
    "clients, common letters": "/clients?q=an",
    "clients, one name": "/clients?q=willa+winslow",
    "clients, no match": "/clients?q=qqqqq",
    "clients, a phone number": "/clients?q=555+0142",
    "clients, one country": "/clients?country=CA",
    "clients, without e-mail": "/clients?without_email=1",
    "search while typing": "/clients/search?q=win",
    "bookings": "/bookings",
    "bookings, page 40": "/bookings?page=40",
    "bookings, by departure": "/bookings?sort=departure",
    "bookings, by title": "/bookings?sort=title",
    "bookings, by passenger": "/bookings?q=winslow",
    "bookings, by supplier": "/bookings?q=aurora",
    "bookings, no match": "/bookings?q=qqqqq",
    "bookings, booked": "/bookings?status=booked",
    "people for a booking": "/bookings/people?people=win",
    "a new booking": "/bookings/new",
    "payment report": "/payments",
    "payment report, by due date": "/payments?sort=due&q=aurora",
    "links": "/links",
    "links, by client": "/links?sort=client",
    "links, by amount": "/links?sort=amount",
    "links, unopened": "/links?show=unopened",
    "links, expiring": "/links?show=expiring",
    "links, submitted": "/links?show=submitted",
    "standing orders": "/standing-orders",
    "report: standing orders ahead": "/reports/standing-orders",
    "companies and households": "/groups",
    "companies, by name": "/groups?kind=company&q=win&sort=changed",
    "suppliers": "/suppliers",
    "find, two words": "/find?q=willa+winslow",
    "find, a supplier": "/find?q=aurora",
    "imports": "/clients/import",
    "calendar": "/calendar",
    "calendar, one day": "/calendar/day",
    "calendar, its address": "/calendar/subscribe",
    "tasks": "/tasks",
    "tasks, by client": "/tasks?sort=client",
    "tasks, overdue": "/tasks?state=overdue",
    "quotes": "/quotes",
    "report: processed payments": "/reports/processed",
    "report: payments due": "/reports/due",
    "report: commissions": "/reports/commissions",
    "report: commissions outstanding": "/reports/commissions?state=outstanding",
    "report: clients": "/reports/clients",
    "report: charges": "/reports/charges",
    "your public page": "/public-page",
    "reminders": "/reminders",
    "sent reminders": "/reminders/log",
}
ADMINS_PAGES = {"agency": "/agency"}
# Closed: the pretended vault knows no card of the others.
_PROCESSED = select(PaymentRow.id).where(PaymentRow.state == PaymentState.PROCESSED).limit(1)


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    configure_logging("crm", level="ERROR")
    deps = open_crm(given.database)
    made = import_large(deps, clients=given.clients, payments=given.payments, say=lambda it: print(it, file=sys.stderr))
    people = {"busiest agent": made.busiest_agent_id, "admin": made.admin_id}
    pages = [page for who, agent_id in people.items() for page in measure(deps, who, agent_id, given.times)]
    about = {"clients": made.clients, "payments": made.payments, "cores": os.cpu_count(), "load": os.getloadavg()}
    slow = [page["page"] for page in pages if page["ms"]["p95"] > TARGET_P95_MS]
    print(json.dumps({"about": about, "target_p95_ms": TARGET_P95_MS, "over": slow, "pages": pages}, indent=2))
    return 0


def open_crm(url: str) -> Dependencies:
    """The CRM's parts over a database that is there, with a vault and letters that only pretend."""
    settings = CrmSettings(
        state_dir=Path(tempfile.gettempdir()) / "wv-bench-lists",
        database_url=url,
        secret_key=SecretStr("only for measuring" * 3),
    )
    database = open_database(url, name="crm", pool_size=2)
    return bootstrap(
        settings, clock=SystemClock(), database=database, vault=FakeVault(FakeClock()), letters=OpenLetters()
    )


def browser_of(deps: Dependencies, agent_id: str) -> Browser:
    """A browser in which an agent is signed in."""
    token, now = new_link_token(), deps.core.clock.now()
    with deps.core.database.transaction() as session:
        session.execute(
            insert(session_tables.sessions).values(
                id=new_id("ses"),
                token_sha256=token_sha256(token),
                subject=agent_id,
                data={"stage": Stage.SIGNED_IN},
                created_at=now,
                last_seen_at=now,
                ip="",
                user_agent="",
            )
        )
    return Browser(create_app(deps), deps.core.sessions.cookie_name, token)


def pages_of(deps: Dependencies, agent_id: str) -> dict[str, str]:
    """The list pages, and one client's, one booking's and one payment's page."""
    with deps.core.database.read() as session:
        agent = deps.access.directory.agent(agent_id)
        client = session.scalar(select(ClientRow.id).where(ClientRow.agency_id == agent.agency_id).limit(1))
        booking = session.scalar(select(BookingRow.id).where(BookingRow.agency_id == agent.agency_id).limit(1))
        payment = session.scalar(_PROCESSED.where(PaymentRow.agency_id == agent.agency_id))
        group = session.scalar(select(ClientGroupRow.id).where(ClientGroupRow.agency_id == agent.agency_id).limit(1))
    if agent.data.role is not Role.ADMIN:
        with deps.core.database.read() as session:
            client = session.scalar(select(ClientRow.id).where(ClientRow.agent_id == agent_id).limit(1))
            booking = session.scalar(select(BookingRow.id).where(BookingRow.agent_id == agent_id).limit(1))
            payment = session.scalar(_PROCESSED.where(PaymentRow.agent_id == agent_id))
            group = session.scalar(select(ClientGroupRow.id).where(ClientGroupRow.agent_id == agent_id).limit(1))
    pages = PAGES | ADMINS_PAGES if agent.data.role is Role.ADMIN else PAGES
    one = {"a client": f"/clients/{client}", "a booking": f"/bookings/{booking}", "a payment": f"/payments/{payment}"}
    one["a household"] = f"/groups/{group}"
    if agent.data.role is not Role.ADMIN:
        one["a household for a client"] = f"/groups/for/{client}"
    return pages | one | {"an itinerary": f"/bookings/{booking}/itinerary"}


def papers_of(pages: Mapping[str, str]) -> dict[str, str]:
    """What is made to be printed; no page, so that nobody counts how often it asks."""
    return {"a dispute pack": f"{pages['a payment']}/dispute-pack.pdf"}


def measure(deps: Dependencies, who: str, agent_id: str, times: int) -> list[dict[str, Any]]:  # Any: JSON
    """Each page so many times, after one time that counts its queries only."""
    found = []
    counted = count_queries(deps, agent_id)
    browser = browser_of(deps, agent_id)
    forget_what_is_loaded()  # as the web server does
    pages = pages_of(deps, agent_id)
    for name, path in (pages | papers_of(pages)).items():
        figures = _times(browser, path, times)
        found.append({"page": name, "who": who, "queries": counted.get(name)} | figures)
        print(f"{who}: {name} {figures}", file=sys.stderr)
    return found


def measure_page(deps: Dependencies, agent_id: str, path: str, times: int) -> dict[str, Any]:  # Any: JSON
    """One page so many times, after one time that fills the caches of templates and statements."""
    browser = browser_of(deps, agent_id)
    _fetch(browser, path)
    forget_what_is_loaded()
    return _times(browser, path, times)


def _times(browser: Browser, path: str, times: int) -> dict[str, Any]:  # Any: JSON
    walls, cpus, size = [], [], 0
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        size = len(_fetch(browser, path))
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    return {"ms": _percentiles(walls), "cpu_ms": _percentiles(cpus), "bytes": size}


def count_queries(deps: Dependencies, agent_id: str) -> dict[str, int]:
    """How often each page asks the database. How a transaction begins is no question, and that the session is in use is
    noted every few seconds, whatever the page."""
    browser, queries = browser_of(deps, agent_id), [0]

    def count(_: object, __: object, statement: str, *___: object) -> None:
        queries[0] += not statement.startswith(("BEGIN", "PRAGMA", "UPDATE web_sessions"))

    event.listen(deps.core.database.engine, "before_cursor_execute", count)
    found = {}
    for name, path in pages_of(deps, agent_id).items():
        queries[0] = 0
        _fetch(browser, path)
        found[name] = queries[0]
    event.remove(deps.core.database.engine, "before_cursor_execute", count)
    return found


def _fetch(browser: Browser, path: str) -> bytes:
    headers = {"HX-Request": "true"} if path.startswith(_FRAGMENTS) else {}
    answer = browser.get(path, headers=headers)
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code}")
    return bytes(answer.data)


def _percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50": round(statistics.median(ordered), 1),
        "p95": round(ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))], 1),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.lists", description=__doc__)
    parser.add_argument(
        "--database", default="sqlite:///var/crm/crm.db", help="the CRM's, migrated; what is missing is made"
    )
    parser.add_argument("--clients", type=int, default=100_000)
    parser.add_argument("--payments", type=int, default=500_000)
    parser.add_argument("--times", type=int, default=20)
    return parser


if __name__ == "__main__":
    sys.exit(main())
