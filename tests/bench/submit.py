"""From the client's submit to the agent's red alert, and to the mails accepted: on a whole running stack."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil
from sqlalchemy import select

from chassis.db import Database, open_database
from deploy.dev.state import State
from services.notifier.mailbox.models import MailboxMessage
from tests.bench.cpu import seconds_of
from tests.bench.crew import Crew
from tests.bench.figures import Figure, Span, run_of
from tests.bench.progress import say
from tests.bench.submit_callers import SubmitCallers
from tests.support.people_by_http import Agent, Client, Link, ask, links_in
from tests.support.stack import Engine, Stack, running

_PATIENCE_SECONDS = 30.0
_LOOK_SECONDS = 0.03
_CROWD_PATIENCE_SECONDS = 180.0
_LEAST_TOLD_MS = 0.1
_WARM_UP = 3
_MAYA = "maya@harbour.example"
# What the two mails of one submission are called: the agent's alert, and the client's signed copy.
_SUBJECTS = {"submit.mail": "Payment to process", "submit.signed_copy": "Your signed authorization"}

AlertAt = Callable[[int, float], float]
"""When the alert showed that many pending payments, waiting at most so many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many submits are measured, one after the other, and then how many by each of CROWD clients at once."""

    submits: int
    crowd_each: int


FULL = Plan(submits=50, crowd_each=12)
QUICK = Plan(submits=6, crowd_each=3)
CROWD = 16


def measure(kind: Engine, plan: Plan) -> list[Figure]:
    """All submits count as one run, so that the p99 is that of all of them."""
    with running(kind, lambda text: say(f"submit, {kind}: {text}"), crowd=0) as stack:
        person = next(agent for agent in stack.people["agents"] if agent["email"] == _MAYA)
        agent = Agent.signing_in(
            stack.origins.crm, email=_MAYA, password=stack.people["password"], totp_secret=person["totp_secret"]
        )
        links = links_that_arrived(stack.origins.mailbox, agent, plan.submits + _WARM_UP)
        say(f"submit, {kind}: {len(links)} links have arrived")
        listener = agent.listen()
        mailbox = Mailbox(stack.state, stack.settings)
        try:
            spans = _submits(stack, links, listener.wait, mailbox)
        finally:
            listener.close()
            mailbox.close()
        health = [_timed_health(stack) for _ in range(plan.submits)]
        crowd = _crowd(stack, agent, kind, plan.crowd_each, used=links)
    baseline = {"portal_healthz": [run_of(health)]}
    return [
        *(
            Figure(name=name, engines=kind, runs=[run_of(found)], baselines=baseline, notes={"pooled": True})
            for name, found in spans.items()
        ),
        crowd,
    ]


def _crowd(stack: Stack, agent: Agent, kind: Engine, each: int, *, used: Sequence[Link]) -> Figure:
    """CROWD clients submit at once; how long until the last one's signed copy has arrived, and what it cost whom."""
    links = links_that_arrived(stack.origins.mailbox, agent, CROWD * each, used=used)
    callers = SubmitCallers(portal=stack.origins.portal, frame=stack.origins.frame, links=tuple(links), callers=CROWD)
    mailbox = Mailbox(stack.state, stack.settings)
    copies = _SUBJECTS["submit.signed_copy"]
    try:
        with Crew(callers, callers=CROWD) as crew:
            crew.prepare("submit", each)
            say(f"submit, {kind}: {CROWD} clients are ready, each with {each} cards")
            before, arrived = cpu_of(stack), len(mailbox.arrivals(copies))
            wall = datetime.now(UTC)
            spans = crew.go("submit", each)
            last = mailbox.wait(copies, arrived + len(links), patience=_CROWD_PATIENCE_SECONDS)
        cost = {name: (spent - before[name]) * 1000 / len(links) for name, spent in cpu_of(stack).items()}
    finally:
        mailbox.close()
    notes = {
        "seconds_until_last_copy": round((last - wall).total_seconds(), 2),
        "cpu_ms_each": {name: round(value, 1) for name, value in cost.items() if value >= _LEAST_TOLD_MS},
    }
    return Figure(name="submit.crowd", engines=kind, callers=CROWD, runs=[run_of(spans)], notes=notes)


def cpu_of(stack: Stack) -> dict[str, float]:
    """Processor seconds so far of each of the stack's programs, their workers included."""
    found = {}
    for name, process in stack.processes.items():
        if process.popen is not None:
            first = psutil.Process(process.popen.pid)
            found[name] = seconds_of([first.pid, *(child.pid for child in first.children(recursive=True))])
    return found


class Mailbox:
    """The mailbox's own database: when each mail was accepted, to the microsecond."""

    def __init__(self, state: State, settings: Mapping[str, str]) -> None:
        url = settings.get("NOTIFIER_DATABASE_URL") or f"sqlite:///{state.root}/notifier/notifier.db"
        self._database: Database = open_database(url, name="bench")

    def arrivals(self, subject: str) -> list[datetime]:
        """Of the mails whose subject begins so, oldest first."""
        query = select(MailboxMessage.received_at).where(MailboxMessage.subject.startswith(subject))
        with self._database.read() as session:
            return sorted(session.scalars(query))

    def wait(self, subject: str, count: int, *, patience: float = _PATIENCE_SECONDS) -> datetime:
        """When the mail with that number was accepted. Raises TimeoutError."""
        ends = time.monotonic() + patience
        while len(found := self.arrivals(subject)) < count:
            if time.monotonic() > ends:
                raise TimeoutError(f"no mail {subject!r} within {patience:g} s")
            time.sleep(_LOOK_SECONDS)
        return found[count - 1]

    def close(self) -> None:
        self._database.dispose()


def links_that_arrived(mailbox: str, agent: Agent, wanted: int, *, used: Sequence[Link] = ()) -> list[Link]:
    """Sends links and collects them, but the used ones, from the mailbox: it shows the newest 50 of an address."""
    gone = {link.link_id for link in used}
    found: dict[str, Link] = {}
    while len(found) < wanted:
        before = len(found)
        agent.send_links(min(20, wanted - before))
        ends = time.monotonic() + _PATIENCE_SECONDS
        while len(found) < min(wanted, before + 20):
            mails = ask(f"{mailbox}/messages.json").json()
            found |= {link.link_id: link for link in links_in(mails) if link.link_id not in gone}
            if time.monotonic() > ends:
                raise TimeoutError("the payment links do not arrive")
            time.sleep(_LOOK_SECONDS * 5)
    return list(found.values())[:wanted]


def _submits(stack: Stack, links: Sequence[Link], alert_at: AlertAt, mailbox: Mailbox) -> dict[str, list[Span]]:
    """One after the other: the next client submits when both mails of the one before are there."""
    origins = stack.origins
    spans: dict[str, list[Span]] = {name: [] for name in ("submit.answer", "submit.alert", *_SUBJECTS)}
    for number, link in enumerate(links, start=1):
        client = Client(origins.portal, origins.frame, link)
        wall, clock = datetime.now(UTC), time.monotonic()
        began, answered = client.submit()
        found: dict[str, Span] = {"submit.answer": (began, answered)}
        found["submit.alert"] = began, alert_at(number, _PATIENCE_SECONDS)
        for name, subject in _SUBJECTS.items():
            accepted = mailbox.wait(subject, number)
            found[name] = began, clock + (accepted - wall).total_seconds()
        if number <= _WARM_UP:
            continue
        for name, span in found.items():
            spans[name].append(span)
        if number % 10 == 0:
            told = ", ".join(f"{name} {(end - begin) * 1000:.0f} ms" for name, (begin, end) in found.items())
            say(f"submit {number}: {told}")
    return spans


def _timed_health(stack: Stack) -> Span:
    began = time.monotonic()
    ask(f"{stack.origins.portal}/healthz")
    return began, time.monotonic()
