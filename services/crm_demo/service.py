"""Makes the demo agency, and tells the codes that its agents' authenticators show. Safe to run again."""

import json
import os
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from chassis.clock import Clock
from services.crm.access.agency.service import AgentData, AgentDetail
from services.crm.access.auth.service import current_code
from services.crm.core.actor import Actor, Role
from services.crm.parts import Dependencies
from services.crm.sales.clients.service import ClientFilter
from services.crm.trips.bookings.service import BookingFilter
from services.crm_demo.access import add_invitations, add_quotes, add_registration
from services.crm_demo.crowd import add_crowd
from services.crm_demo.groups import add_groups
from services.crm_demo.money import add_money, add_recorded, add_rules
from services.crm_demo.office import add_office
from services.crm_demo.people import AGENCY, AGENTS, CLIENTS, WITH_AUTHENTICATOR
from services.crm_demo.portal_life import add_portal_life
from services.crm_demo.signing import add_restrictions, add_signing
from services.crm_demo.standing_orders import add_standing_orders
from services.crm_demo.suppliers import add_suppliers
from services.crm_demo.trips import TRIPS, Trip

_WORDS = (
    "amber brisk cedar delta ember fjord grove heron inlet juniper kestrel lagoon maple north otter pebble "
    "quartz river summit tidal"
)


class DemoError(Exception):
    """The demo can't be made or read; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAgent:
    """How to sign in as one of the demo agents. No `totp_secret`: they set their authenticator up themselves."""

    id: str
    agency_id: str
    name: str
    email: str
    role: str
    password: str
    totp_secret: str | None


def import_demo(deps: Dependencies, file: Path, crowd_percent: int = 100) -> list[DemoAgent]:
    """Creates what is missing of the demo agency and writes `file` (0600) with what one needs to sign in.

    `crowd_percent`: how much of the few hundred generated clients, for those who have no time for all of them.
    """
    kept = _read(file) if file.exists() else {}
    agents = [_agent(deps, data) for data in AGENTS]
    password = str(kept.get("password") or _new_password())
    # By id: the same people in another database (make up, then with ENGINES=real) have other ones.
    written = {agent["id"]: agent for agent in kept.get("agents", [])}
    known = [_credentials(deps, agent, password, written.get(agent.id, {})) for agent in agents]
    _write(file, password, known)
    for agent in agents:
        _clients(deps, agent)
        _trips(deps, agent)
        add_crowd(deps, _actor(agent), _today(deps, agent), crowd_percent)
        add_money(deps, _actor(agent))
        add_recorded(deps, _actor(agent))
        add_groups(deps, _actor(agent))
        if agent.data.role is Role.AGENT:
            add_quotes(deps, _actor(agent))
            add_portal_life(deps, _actor(agent), _today(deps, agent))
            add_invitations(deps, _actor(agent))
            add_registration(deps, _actor(agent))
            add_office(deps, _actor(agent), _actor(agents[0]))
            add_signing(deps, _actor(agent))
            add_standing_orders(deps, _actor(agent), _today(deps, agent))
    add_restrictions(deps, _actor(agents[0]))
    add_suppliers(deps, _actor(agents[0]))
    # Last: from now on the notifier reminds of what falls due, of trips it has heard of and of what is paid on them.
    add_rules(deps, _actor(agents[0]))
    return known


def demo_code(file: Path, name: str, clock: Clock) -> tuple[DemoAgent, str, int]:
    """The demo agent whose e-mail or name begins with `name`, their present code, and the seconds it stays."""
    if not file.exists():
        raise DemoError(f"There is no {file}. `make up` makes the demo agency.")
    agents = [DemoAgent(**agent) for agent in _read(file)["agents"]]
    for agent in agents:
        if agent.email.startswith(name.lower()) or agent.name.lower().startswith(name.lower()):
            if agent.totp_secret is None:
                raise DemoError(
                    f"{agent.name} has no authenticator yet. Sign in as {agent.email} and scan the QR code, "
                    "or type the secret beneath it into any authenticator app."
                )
            return agent, *current_code(agent.totp_secret, clock.now())
    raise DemoError(f"No demo agent is called {name}. There are: " + ", ".join(agent.name for agent in agents) + ".")


def _agent(deps: Dependencies, data: AgentData) -> AgentDetail:
    with deps.core.database.read() as session:
        found = deps.access.directory.find_by_email(session, data.email)
        colleague = deps.access.directory.find_by_email(session, AGENTS[0].email)
    if found:
        return found
    agency_id = colleague.agency_id if colleague else deps.access.directory.create_agency(AGENCY).id
    return deps.access.directory.create_agent(agency_id, data)


def _credentials(deps: Dependencies, agent: AgentDetail, password: str, written: dict[str, Any]) -> DemoAgent:
    """Keeps what the file says; sets password and authenticator anew where the file knows nothing of them."""
    secret: str | None = written.get("totp_secret")
    if not written:
        deps.access.sign_in.set_password(agent.id, password)
        if agent.email in WITH_AUTHENTICATOR:
            secret = deps.access.sign_in.enrol_new_authenticator(agent.id)
    return DemoAgent(
        id=agent.id,
        agency_id=agent.agency_id,
        name=agent.name,
        email=agent.email,
        role=agent.data.role.value,
        password=password,
        totp_secret=secret,
    )


def _clients(deps: Dependencies, agent: AgentDetail) -> None:
    actor = _actor(agent)
    known = {client.name for client in deps.sales.clients.export(actor, ClientFilter()) if actor.owns(client.agent_id)}
    for data in CLIENTS[agent.email]:
        if f"{data.first_name} {data.last_name}" not in known:
            deps.sales.clients.create(actor, data)


def _trips(deps: Dependencies, agent: AgentDetail) -> None:
    actor = _actor(agent)
    own = [booking for booking in deps.trips.bookings.export(actor, BookingFilter()) if actor.owns(booking.agent_id)]
    known = {booking.title for booking in own}
    people = {client.email or client.name: client.id for client in deps.sales.clients.all_own(actor)}
    for trip in TRIPS:
        if trip.agent == agent.email and trip.title not in known:
            _trip(deps, actor, trip, people)


def _trip(deps: Dependencies, actor: Actor, trip: Trip, people: dict[str, str]) -> None:
    today = _today(deps, actor)
    booking = deps.trips.bookings.create(actor, trip.data(tuple(people[key] for key in trip.passengers)))
    version = booking.version
    for part in trip.parts:
        deps.trips.bookings.add_segment(actor, booking.id, part.data(today, trip.currency), version=version)
        version += 1


def _today(deps: Dependencies, person: Actor | AgentDetail) -> date:
    zone = person.time_zone if isinstance(person, Actor) else person.data.time_zone
    return deps.core.clock.now().astimezone(ZoneInfo(zone)).date()


def _actor(agent: AgentDetail) -> Actor:
    return Actor(
        agent_id=agent.id,
        agency_id=agent.agency_id,
        name=agent.name,
        email=agent.email,
        role=agent.data.role,
        time_zone=agent.data.time_zone,
    )


def _new_password() -> str:
    """Five words and two digits, made afresh for each installation: easy to type, not to guess from outside."""
    words = _WORDS.split()
    return "-".join(secrets.choice(words) for _ in range(5)) + f"-{secrets.randbelow(90) + 10}"


def _read(file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except ValueError:
        raise DemoError(
            f"{file} can't be read. Delete it and run `make up` again; the demo agents get a new password."
        ) from None
    return found


def _write(file: Path, password: str, agents: list[DemoAgent]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = {
        "made_at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "agency_id": agents[0].agency_id,
        "password": password,
        "agents": [{name: getattr(agent, name) for name in DemoAgent.__slots__} for agent in agents],
    }
    temporary = file.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=2)
    temporary.replace(file)
