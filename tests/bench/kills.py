"""`python -m tests.bench.kills`: the longest that people wait while each process is killed; prints one JSON document.

The stack is that of `make up`, with its supervisord, on a state directory and ports of its own. Nobody here knows what
goes on inside: an agent and a client load pages and press the button again where it did not answer, as people do.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import psutil
import requests

from deploy.dev import demo
from deploy.dev.health import probe_of
from deploy.dev.programs import programs_of
from deploy.dev.run import down, up
from deploy.dev.settings import Origins, collect
from deploy.dev.state import State
from deploy.dev.supervisor import Supervisor
from tests.bench.progress import say
from tests.bench.submit import Mailbox, links_that_arrived
from tests.support.people_by_http import Agent, AlertListener, Browser, Client, Link, LinkForm, PageFault, ask
from tests.support.stack import free_state

# Whom kill -9 meets; _WORKERS: not the process that supervisord started but the one that it forked. ALL, a power cut,
# is measured when it is named: then ten programs start at once, and that takes as long as the processors need.
_WORKERS: Final = " (its worker)"
ALL: Final = "all at once"
VICTIMS: Final = (
    "vault-serve",
    "vault-worker",
    "vault-web",
    "vault-charging",
    "notifier-worker",
    "crm-web",
    "crm-web" + _WORKERS,
    "crm-worker",
    "portal-web",
    "portal-web" + _WORKERS,
    "portal-worker",
)
# A person presses again, or reloads, this soon after a page did not come.
_AGAIN_SECONDS: Final = 0.3
_PATIENCE_SECONDS: Final = 240.0
_MAYA: Final = "maya@harbour.example"
# How long after the submit the kill comes, in seconds: before it, in its midst, and while mails are made of it.
_MOMENTS: Final = (-0.5, 0.03, 0.12, 0.3)

_NOT_ANSWERED: Final = (requests.RequestException, PageFault)
Made = TypeVar("Made")
Waits = dict[str, float]
"""By what a person waits for: the longest wait, in seconds."""


def once_answered(make: Callable[[], Made]) -> Made:
    """What is made, tried again until its pages come. Raises TimeoutError."""
    began = time.monotonic()
    while True:
        try:
            return make()
        except _NOT_ANSWERED as fault:
            if time.monotonic() - began > _PATIENCE_SECONDS:
                raise TimeoutError(str(fault)) from fault
            time.sleep(_AGAIN_SECONDS)


def until_answered(action: Callable[[], object]) -> float:
    """Does it again until it is answered; gives the seconds from the first try. Raises TimeoutError."""
    began = time.monotonic()
    once_answered(action)
    return time.monotonic() - began


class Visitor:
    """Loads one page over and over in a thread, and knows the longest that it took to come."""

    def __init__(self, load: Callable[[], object]) -> None:
        self._load = load
        self._over = threading.Event()
        self._longest = 0.0
        self._thread = threading.Thread(target=self._visit, daemon=True)
        self._thread.start()

    def _visit(self) -> None:
        while not self._over.wait(_AGAIN_SECONDS):
            self._longest = max(self._longest, until_answered(self._load))

    def leave(self) -> float:
        self._over.set()
        self._thread.join(_PATIENCE_SECONDS)
        return self._longest


@dataclass(kw_only=True)
class Town:
    """The stack, and the people in it. `expected`: what has been asked for so far, by the subject of its mail."""

    state: State
    agent: Agent
    links: deque[Link]
    listener: AlertListener
    mailbox: Mailbox
    standing: Client
    alerts: int
    booking: str
    expected: dict[str, int] = field(default_factory=dict)

    def window(self) -> Browser:
        """Another window of the agent's browser."""
        return self.agent.browser.another_window()

    def link_form(self) -> LinkForm:
        """A form of the agent's that asks one client to pay, filled in and not sent yet."""
        return Agent(self.window()).link_form(self.booking, amount="10.00", purpose="Deposit for the cabin")

    def client(self) -> Client:
        origins = Origins.of(self.state)
        made = Client(origins.portal, origins.frame, self.links[0])
        self.links.popleft()
        return made

    @contextmanager
    def visited(self) -> Iterator[dict[str, Visitor]]:
        """People look at pages meanwhile."""
        origins, desk = Origins.of(self.state), self.window()
        yield {
            "CRM page": Visitor(lambda: demand(desk.get("/bookings"), 'href="/bookings/')),
            "portal page": Visitor(self.standing.look),
            "card frame": Visitor(lambda: ask(f"{origins.frame}/capture?kind=card&parent={origins.portal}")),
        }

    def arrival(self, subject: str, began: float) -> float:
        """Seconds until one mail more of that kind has been sent."""
        self.expected[subject] += 1
        self.mailbox.wait(subject, self.expected[subject], patience=_PATIENCE_SECONDS)
        return time.monotonic() - began


def demand(page: str, text: str) -> None:
    """Raises PageFault for another page than expected: one that asks to sign in would be no answer."""
    if text not in page:
        raise PageFault(f"the page has no {text}")


def trial(town: Town, victim: str, moment: float) -> Waits:
    """One kill while pages are loaded, a client submits and the agent sends a link."""
    # The victim before may be on its way back still.
    client, form = once_answered(town.client), once_answered(town.link_form)
    with town.visited() as visitors:
        if moment < 0:
            kill(town.state, victim)
            time.sleep(-moment)
        waits: Waits = {}
        threads = [
            threading.Thread(target=lambda: waits.update(_submitted(town, client)), daemon=True),
            threading.Thread(target=lambda: waits.update(_link_sent(town, form)), daemon=True),
        ]
        for thread in threads:
            thread.start()
        if moment >= 0:
            time.sleep(moment)
            kill(town.state, victim)
        for thread in threads:
            thread.join(_PATIENCE_SECONDS * 3)
        until_well(town.state)
        waits |= {name: visitor.leave() for name, visitor in visitors.items()}
    return waits


def _submitted(town: Town, client: Client) -> Waits:
    """From the press to each thing that follows from it."""
    began = time.monotonic()
    # "Is being sent already" is no answer: the page asks again, as its script does.
    found = {"submit answered": until_answered(client.submit)}
    town.alerts += 1
    found["alert seen"] = town.listener.wait(town.alerts, _PATIENCE_SECONDS) - began
    found["agent's mail out"] = town.arrival("Payment to process", began)
    found["signed copy out"] = town.arrival("Your signed authorization", began)
    return found


def _link_sent(town: Town, form: LinkForm) -> Waits:
    began = time.monotonic()
    found = {"link form answered": until_answered(form.send)}
    found["link's mail out"] = town.arrival("Please authorize", began)
    return found


def kill(state: State, victim: str) -> None:
    """kill -9 of a process of the stack, or of all."""
    running = {record["name"]: record["pid"] for record in Supervisor(state).processes() if record["pid"]}
    name = victim.removesuffix(_WORKERS)
    pids = list(running.values()) if victim == ALL else [running[name]]
    if victim.endswith(_WORKERS):
        pids = [child.pid for child in psutil.Process(running[name]).children()]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def until_well(state: State) -> None:
    """Returns when every process answers again, as `make status` asks them. Raises TimeoutError."""
    probes = {one.name: probe_of(one, state.certs) for one in programs_of(state, collect(state))}
    ends = time.monotonic() + _PATIENCE_SECONDS
    while True:
        running = {record["name"] for record in Supervisor(state).processes() if record["statename"] == "RUNNING"}
        if running >= probes.keys() and all(probe() for probe in probes.values()):
            return
        if time.monotonic() > ends:
            raise TimeoutError(f"not well again: {sorted(probes.keys() - running)}")
        time.sleep(_AGAIN_SECONDS)


@contextmanager
def town(submits: int) -> Iterator[Town]:
    """A stack with an agent signed in, and as many links as will be submitted."""
    root = Path(tempfile.mkdtemp(prefix="wv-kills-", dir="/tmp"))
    state = free_state(root)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, root, ignore_errors=True)
        undo.callback(down, state)
        up(state)
        origins, people = Origins.of(state), demo.people(state)
        maya = next(agent for agent in people["agents"] if agent["email"] == _MAYA)
        agent = Agent.signing_in(origins.crm, email=_MAYA, password=people["password"], totp_secret=maya["totp_secret"])
        mailbox = Mailbox(state, collect(state))
        undo.callback(mailbox.close)
        links = links_that_arrived(origins.mailbox, agent, submits + 1)
        standing = Client(origins.portal, origins.frame, links.pop())
        listener = agent.listen()
        undo.callback(listener.close)
        made = Town(
            state=state, agent=agent, links=deque(links), listener=listener, mailbox=mailbox, standing=standing,
            alerts=listener.first(_PATIENCE_SECONDS), booking=agent.first_booking(),
        )  # fmt: skip
        subjects = ("Payment to process", "Your signed authorization", "Please authorize")
        made.expected |= {subject: len(mailbox.arrivals(subject)) for subject in subjects}
        _submitted(made, standing)
        yield made


def measure(
    victims: Sequence[str] = VICTIMS, moments: Sequence[float] = _MOMENTS, *, tell: Callable[[str], None] = say
) -> dict[str, Waits]:
    """By victim, each longest wait. Raises TimeoutError when something never came."""
    longest: dict[str, Waits] = {}
    with contextlib.redirect_stdout(sys.stderr), town(len(victims) * len(moments)) as made:
        for victim in victims:
            waits = longest.setdefault(victim, {})
            for moment in moments:
                for name, seconds in trial(made, victim, moment).items():
                    waits[name] = max(waits.get(name, 0.0), seconds)
            told = ", ".join(f"{name} {seconds:.1f}" for name, seconds in waits.items())
            tell(f"{victim} killed: longest waits in s: {told} (load {os.getloadavg()[0]:.1f})")
    return longest


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.kills", description=__doc__)
    parser.add_argument("victims", nargs="*", default=list(VICTIMS), help="names of `make status`; default: each")
    given = parser.parse_args()
    before = os.getloadavg()
    longest = measure(given.victims)
    document = {
        "longest_s": {name: {what: round(s, 2) for what, s in waits.items()} for name, waits in longest.items()},
        "longest_of_all_s": round(max(s for waits in longest.values() for s in waits.values()), 2),
        "cores": os.cpu_count(),
        "load_before": [round(value, 1) for value in before],
        "load_after": [round(value, 1) for value in os.getloadavg()],
    }
    print(json.dumps(document, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
