"""The last release and this version on one database and bus, and back to the release alone (O12).

What an operator does: migrates while the old processes run, starts the new ones beside them, and here, unlike them,
keeps both for a while; then goes back.
"""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from typing import TypeVar

import pytest

from deploy.dev import certificates
from deploy.dev.programs import programs_of
from deploy.dev.settings import base_environment, collect, environment_of
from deploy.dev.state import Ports
from deploy.dev.supervisor import run_command
from tests.support import engines
from tests.support.people_by_http import Agent, Browser, Client, Link, links_in
from tests.support.stack import ROOT, Engine, Process, Stack
from tests.upgrade.release import Release, running_release

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(1800)]
_MAYA = "maya@harbour.example"
_PATIENCE_SECONDS = 60.0
# Of the new version beside the old one; programs that the old one knows nothing of come when it is gone.
_BESIDE = ("vault-serve", "vault-web", "notifier-worker", "crm-web", "crm-worker", "portal-web", "portal-worker")
# What asks for engines that were set up anew (roles, identities), or for what only development has.
_LATER = ("vault-charging", "gateway-simulator")
_OF_THE_RELEASE = (*_BESIDE, "vault-worker", "notifier-web")


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.engines)])
def release(request: pytest.FixtureRequest) -> Iterator[Release]:
    engine: Engine = request.param
    with running_release(engine) as found:
        yield found


def beside(release: Release) -> Stack:
    """This version over the release's databases, bus, keys and certificates, on ports of its own; not started yet."""
    ports = Ports(base=release.state.ports.base + 10_000)
    state = replace(release.state, ports=ports)
    certificates.ensure(state)
    settings = collect(state, {}, env=state.root / "no.env")
    kept = ("_DATABASE_URL", "_BUS_URL", "_TRANSIT_URL", "_TRANSIT_AUTH_DIR", "_TRANSIT_CA", "_SECRET_KEY")
    settings |= {name: value for name, value in release.settings.items() if name.endswith(kept)}
    stack = Stack(engine="embedded", state=state, settings=settings)
    for program in programs_of(state, settings):
        log = state.log / f"new-{program.name}.log"
        stack.processes[program.name] = Process(program=program, log=log)
    return stack


class Office:
    """Maya, who signed in at the old version, and her clients, who follow their links to either."""

    def __init__(self, old: Stack, new: Stack) -> None:
        self._old, self._new = old, new
        (person,) = [agent for agent in old.people["agents"] if agent["email"] == _MAYA]
        self.at_old = Agent.signing_in(
            old.origins.crm, email=_MAYA, password=old.people["password"], totp_secret=person["totp_secret"]
        )
        # Behind one address she would not notice which of them answers: the same session opens both.
        self.at_new = Agent(Browser(new.origins.crm, self.at_old.browser.cookies))
        self._followed: set[str] = set()

    def link(self, sender: Agent, amount: str) -> Link:
        """Sends one, and gives it as it stands in the mail."""
        booking = re.search(r'href="/bookings/([a-z]+_[a-z2-7]+)"', sender.browser.get("/bookings"))
        assert booking is not None
        sender.send_link(booking[1], amount=amount, purpose="Upgrade")
        return until(self._fresh_link, "the link to arrive")

    def _fresh_link(self) -> Link | None:
        mails = self._new.query("notifier", "SELECT raw FROM mailbox_messages")
        for link in links_in([{"text": text_of(bytes(raw))} for (raw,) in mails]):
            if link.link_id not in self._followed:
                self._followed.add(link.link_id)
                return link
        return None

    def expect_pending(self, agent: Agent, count: int) -> None:
        """The red alert's number."""
        shown = '{"count":' + str(count)
        until(lambda: shown in re.sub(r"\s", "", agent.browser.get("/alerts/count")), f"{count} payments to process")


def text_of(raw: bytes) -> str:
    """The plain part of a mail."""
    plain = message_from_bytes(raw, policy=default).get_body(("plain",))
    return str(plain.get_content()) if plain else ""


T = TypeVar("T")


def until(asked: Callable[[], T | None], what: str) -> T:
    """What comes in the end; nothing else tells of it."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    while not (found := asked()):
        assert time.monotonic() < ends, f"waited in vain for {what}"
        time.sleep(0.2)
    return found


def authorize(stack: Stack, link: Link) -> None:
    Client(stack.origins.portal, stack.origins.frame, link).submit()


def upgrade(stack: Stack, *arguments: str) -> str:
    """As an operator does, with the old processes running."""
    name = "WAYVAULT_POSTGRES_ADMIN_URL"
    administrator = {name: engines.settings()[name]} if "VAULT_DATABASE_URL" in stack.settings else {}
    environment = base_environment() | stack.settings | administrator | {"WAYVAULT_STATE": str(stack.state.root)}
    command = [sys.executable, "-m", "deploy.upgrade", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_both_versions_work_side_by_side_and_each_alone(release: Release) -> None:
    old = Stack(engine="embedded", state=release.state, settings=release.settings)
    new = beside(release)
    office = Office(old, new)
    before = office.link(office.at_old, "11.00")

    assert "Every revision only adds" in upgrade(new, "--check", "--copy")
    upgrade(new)
    assert "There is nothing to do." in upgrade(new, "--check")
    with started(new, *_BESIDE):
        # A link of before at the new portal; a link of the new version at the old portal.
        authorize(new, before)
        office.expect_pending(office.at_old, 1)
        office.expect_pending(office.at_new, 1)
        authorize(old, office.link(office.at_new, "12.00"))
        office.expect_pending(office.at_old, 2)
        office.expect_pending(office.at_new, 2)
        expect_a_state_that_only_the_new_one_knows(office, new)

    # Back: the old version alone, on tables of the new one.
    authorize(old, office.link(office.at_old, "13.00"))
    office.expect_pending(office.at_old, 3)

    # And on for good: the new version alone, with all its programs.
    release.stop(*(name for name in _OF_THE_RELEASE))
    with started(new, *(name for name in new.processes if name not in _LATER)):
        office.expect_pending(office.at_new, 3)
        authorize(new, office.link(office.at_new, "14.00"))
        office.expect_pending(office.at_new, 4)
        verified = new.run("services.vault", "verify-audit")
        assert verified.returncode == 0, verified.stdout
        assert "The trail is whole." in verified.stdout
        for service in ("crm", "portal", "notifier"):
            assert dead_letters(new, service) == f"0 dead letter(s) of {service}"
    for name, log in new.logs().items():
        assert "Traceback" not in log, name


def expect_a_state_that_only_the_new_one_knows(office: Office, new: Stack) -> None:
    """A payment that waits for its standing order's day is authorized to the old version, whose pages still open."""
    found = new.query("crm", "SELECT id, booking_id FROM payment WHERE state = 'authorized'")
    payment_id, booking_id = found[0].id, found[0].booking_id
    written = "UPDATE payment SET state_now = :state WHERE id = :id"
    assert new.execute("crm", written, state="scheduled", id=payment_id) == 1
    for agent, pending in ((office.at_old, 2), (office.at_new, 1)):
        office.expect_pending(agent, pending)
        for path in ("/payments", f"/payments/{payment_id}", f"/bookings/{booking_id}"):
            agent.browser.get(path)
    assert new.execute("crm", written, state=None, id=payment_id) == 1


@contextmanager
def started(stack: Stack, *names: str) -> Iterator[None]:
    try:
        stack.start(*names)
        yield
    finally:
        stack.stop(*names)


def dead_letters(stack: Stack, service: str) -> str:
    process = run_command(
        ["chassis.bus.dead_letters", "list", service], environment=environment_of(service, stack.settings), root=ROOT
    )
    return process.communicate(timeout=60)[0].strip().splitlines()[-1]
