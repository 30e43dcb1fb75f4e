"""The CRM's commands: `python -m services.crm <command>`."""

import argparse
import getpass
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from flask import Flask

from chassis.bus import BusUnavailable
from chassis.commands import (
    DONE,
    EXIT_STATUSES,
    NOT_DONE,
    NotDone,
    add_check,
    add_command,
    on_the_database,
    would_migrate,
)
from chassis.db.migrate import MigrationError
from chassis.errors import InvalidArgument, WayvaultError
from chassis.health import READINESS
from chassis.lifecycle import give_way
from chassis.logging import configure_logging
from chassis.settings import SettingsError, check_config, load
from chassis.telemetry import export_traces
from services.crm.access.agency.rules import agency_errors
from services.crm.access.agency.service import AgencyData, AgentData, AgentDetail
from services.crm.bootstrap import SERVICE, bootstrap
from services.crm.config import CrmSettings
from services.crm.core.actor import Role
from services.crm.core.mail import require_mailable
from services.crm.migrations import MIGRATIONS
from services.crm.parts import Dependencies
from services.crm_demo.service import DemoError, demo_code, import_demo

Command = Callable[[argparse.Namespace], int]
_PROCESSES = ("web", "worker")


def main(arguments: list[str] | None = None) -> int:
    """Runs one command. Returns the exit status."""
    options = _parser().parse_args(arguments)
    command: Command = options.command
    try:
        # Processes tell of themselves in their logs.
        with (
            nullcontext()
            if options.name in _PROCESSES
            else on_the_database(options.name, asks=options.name == "set-password")
        ):
            return command(options)
    except (SettingsError, WayvaultError, DemoError, BusUnavailable, MigrationError, NotDone) as error:
        print(error, file=sys.stderr)
        return NOT_DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.crm", description=__doc__, epilog=EXIT_STATUSES)
    commands = parser.add_subparsers(required=True, metavar="command")
    _add(commands, "web", _web, "serve the pages")
    _add(commands, "worker", _worker, "send and consume events, keep timers")
    add_check(_add(commands, "migrate", _migrate, "bring the database to the newest revision and make the queue"))
    _add(commands, "check-config", _check_config, "print the settings, secrets masked, and what is wrong with them")
    agency = _add(commands, "create-agency", _create_agency, "make an agency; prints its id")
    agency.add_argument("--name", required=True)
    agency.add_argument("--time-zone", default="America/New_York", help="IANA name")
    add_check(agency)
    agent = _add(commands, "create-agent", _create_agent, "make an agent; prints their id and an invitation link")
    agent.add_argument("--agency", required=True, help="the agency's id")
    agent.add_argument("--name", required=True)
    agent.add_argument("--email", required=True)
    agent.add_argument("--role", choices=[role.value for role in Role], default=Role.AGENT.value)
    agent.add_argument("--time-zone", default="America/New_York", help="IANA name")
    add_check(agent)
    for name, command, text in (
        ("invite-agent", _invite_agent, "print a fresh invitation link (a forgotten password)"),
        ("set-password", _set_password, "set an agent's password, read from the terminal or standard input"),
        ("reset-authenticator", _reset_authenticator, "let an agent set up a new authenticator (a lost phone)"),
    ):
        whose = _add(commands, name, command, text)
        whose.add_argument("--email", required=True)
        add_check(whose)
    moved = _add(
        commands, "change-agent-email", _change_email, "change an agent's address; do the same in the vault (O11)"
    )
    moved.add_argument("--email", required=True, help="the present address")
    moved.add_argument("--new-email", required=True)
    add_check(moved)
    demo = _add(commands, "import-demo", _import_demo, "make the demo agency, or what is missing of it")
    demo.add_argument("--file", type=Path, help="where to write how to sign in (default: <state dir>/demo.json)")
    demo.add_argument("--crowd", type=int, default=100, metavar="PERCENT", help="of the generated clients")
    large = _add(commands, "import-large", _import_large, "make an agency with 100,000 clients, for speed work")
    large.add_argument("--clients", type=int, default=100_000)
    large.add_argument("--payments", type=int, default=500_000)
    code = _add(commands, "demo-code", _demo_code, "print a demo agent's present authenticator code")
    code.add_argument("--agent", default="maya")
    code.add_argument("--file", type=Path)
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, command: Command, text: str
) -> argparse.ArgumentParser:
    parser = add_command(commands, name, text)
    parser.set_defaults(command=command, name=name)
    return parser


def _web(_: argparse.Namespace) -> int:
    from chassis.web.server import serve

    # The pages load templates and icons that other commands don't need.
    from services.crm.app import create_app
    from services.crm.health import readiness

    def site() -> Flask:
        deps = bootstrap(settings)
        app = create_app(deps)
        app.extensions[READINESS] = readiness(settings, deps.core.database)
        return app

    settings = load(CrmSettings)
    configure_logging(SERVICE, level=settings.log_level)
    export_traces(SERVICE)
    settings.require_secret_key()
    settings.require_ready()
    serve(
        site,
        settings.listen,
        workers=settings.web_processes,
        threads=settings.web_threads,
        streams=settings.alert_streams,
        metrics=settings.web_metrics_listen,
    )
    return DONE


def _worker(_: argparse.Namespace) -> int:
    from services.crm import worker

    settings = load(CrmSettings)
    configure_logging(SERVICE, level=settings.log_level)
    export_traces(SERVICE)
    give_way()
    worker.run(bootstrap(settings))
    return DONE


def _migrate(options: argparse.Namespace) -> int:
    from services.crm import worker

    settings = load(CrmSettings)
    if options.check:
        return would_migrate(MIGRATIONS, settings.database_url)
    MIGRATIONS.upgrade(settings.database_url)
    worker.bind_queue(bootstrap(settings))
    print("The CRM's database and queue are up to date. Next: start its processes.")
    return DONE


def _check_config(_: argparse.Namespace) -> int:
    return check_config(CrmSettings)


def _create_agency(options: argparse.Namespace) -> int:
    deps = _dependencies()
    data = AgencyData(name=options.name, time_zone=options.time_zone)
    with deps.core.database.read() as session:
        there = deps.access.directory.find_agency(session, data.name)
    if there is not None:
        print(there.id)
        print(f"{there.name} is there already; nothing was made.", file=sys.stderr)
        return DONE
    if options.check:
        for message in agency_errors(data).values():
            raise InvalidArgument(message)
        return _would(f"make {data.name}")
    print(deps.access.directory.create_agency(data).id)
    print(f"{data.name} is made. Next: create-agent --agency with the id above.", file=sys.stderr)
    return DONE


def _create_agent(options: argparse.Namespace) -> int:
    deps = _dependencies()
    data = AgentData(name=options.name, email=options.email, role=Role(options.role), time_zone=options.time_zone)
    with deps.core.database.read() as session:
        agency = deps.access.directory.load_agency(session, options.agency)
        agent = deps.access.directory.find_by_email(session, data.email)
    if agent is not None and (agent.agency_id, agent.data) != (agency.id, data):
        raise InvalidArgument("Somebody signs in with this address already.")
    if options.check:
        require_mailable(data.email, field="email")
        what = "print a fresh link for" if agent else "make, and print a link for,"
        return _would(f"{what} {data.name}, {data.role}, of {agency.name}")
    agent = agent or deps.access.directory.create_agent(agency.id, data)
    print(agent.id)
    _print_invitation(deps, agent)
    print("Next: give them the link, and enrol them with the vault (services.vault enroll-agent).", file=sys.stderr)
    return DONE


def _invite_agent(options: argparse.Namespace) -> int:
    deps = _dependencies()
    agent = _agent(deps, options.email)
    if options.check:
        return _would(f"make a fresh link for {agent.name}; an earlier one would be void")
    _print_invitation(deps, agent)
    print("Next: give it to them by a way that you know is theirs.", file=sys.stderr)
    return DONE


def _set_password(options: argparse.Namespace) -> int:
    deps = _dependencies()
    agent = _agent(deps, options.email)
    if options.check:
        return _would(f"ask for a new password of {agent.name}, and end every session of theirs")
    password = getpass.getpass("New password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    deps.access.sign_in.set_password(agent.id, password)
    deps.core.sessions.end_all(agent.id)
    print(f"{agent.name} has a new password; every session of theirs was ended.")
    print("Next: tell it to them in person. A lost phone: reset-authenticator.")
    return DONE


def _reset_authenticator(options: argparse.Namespace) -> int:
    deps = _dependencies()
    agent = _agent(deps, options.email)
    if options.check:
        return _would(f"forget the authenticator of {agent.name}, and end every session of theirs")
    deps.access.sign_in.reset_authenticator(agent.id)
    deps.core.sessions.end_all(agent.id)
    print(f"{agent.name} sets up a new authenticator at the next sign-in. Next: tell them so.")
    return DONE


def _change_email(options: argparse.Namespace) -> int:
    deps = _dependencies()
    agent = _agent(deps, options.email)
    if options.check:
        require_mailable(options.new_email, field="email")
        with deps.core.database.read() as session:
            taken = deps.access.directory.find_by_email(session, options.new_email)
        if taken is not None and taken.id != agent.id:
            raise InvalidArgument("Somebody signs in with this address already.")
        return _would(f"let {agent.name} sign in with {options.new_email}, and end every session of theirs")
    agent = deps.access.directory.change_email(agent.id, options.new_email)
    deps.core.sessions.end_all(agent.id)
    print(f"{agent.name} ({agent.id}) signs in with {agent.email} now.")
    print("Next: change the address in the vault too (services.vault change-agent-email).")
    return DONE


def _would(what: str) -> int:
    print(f"Would {what}.")
    return DONE


def _import_demo(options: argparse.Namespace) -> int:
    deps = _dependencies()
    file = options.file or deps.core.settings.state_dir / "demo.json"
    agents = import_demo(deps, file, options.crowd)
    for agent in agents:
        print(f"{agent.name} <{agent.email}> {agent.role} {agent.id}")
    print(f"Password of all: {agents[0].password} (kept in {file})")
    return DONE


def _import_large(options: argparse.Namespace) -> int:
    from services.crm_demo.large import import_large

    started = time.monotonic()
    made = import_large(
        _dependencies(),
        clients=options.clients,
        payments=options.payments,
        say=lambda words: print(f"{time.monotonic() - started:6.1f} s  {words}", flush=True),
    )
    print(f"{made.clients:,} clients and {made.payments:,} payments are there. Admin: {made.admin_id}")
    return DONE


def _demo_code(options: argparse.Namespace) -> int:
    from chassis.clock import SystemClock

    file = options.file or load(CrmSettings).state_dir / "demo.json"
    agent, code, seconds = demo_code(file, options.agent, SystemClock())
    print(f"{agent.name} <{agent.email}>: {code} (for {seconds} seconds)")
    return DONE


def _dependencies() -> Dependencies:
    settings = load(CrmSettings)
    configure_logging(SERVICE, level="WARNING")
    return bootstrap(settings)


def _agent(deps: Dependencies, email: str) -> AgentDetail:
    with deps.core.database.read() as session:
        agent = deps.access.directory.find_by_email(session, email)
    if agent is None:
        raise DemoError(f"Nobody signs in with {email}.")
    return agent


def _print_invitation(deps: Dependencies, agent: AgentDetail) -> None:
    token = deps.access.sign_in.invite(agent.id)
    print(f"Invitation for {agent.name}: {deps.core.settings.public_url}/invitation#{token}")


if __name__ == "__main__":
    sys.exit(main())
