"""The CRM's commands: `python -m services.crm <command>`."""

import argparse
import getpass
import sys
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask

from chassis.bus import BusUnavailable
from chassis.db.migrate import MigrationError
from chassis.errors import WayvaultError
from chassis.health import READINESS
from chassis.logging import configure_logging
from chassis.settings import SettingsError, check_config, load
from chassis.telemetry import export_traces
from services.crm.access.agency.service import AgencyData, AgentData, AgentDetail
from services.crm.bootstrap import SERVICE, bootstrap
from services.crm.config import CrmSettings
from services.crm.core.actor import Role
from services.crm.migrations import MIGRATIONS
from services.crm.parts import Dependencies
from services.crm_demo.service import DemoError, demo_code, import_demo

Command = Callable[[argparse.Namespace], int]


def main(arguments: list[str] | None = None) -> int:
    """Runs one command. Returns the exit status."""
    options = _parser().parse_args(arguments)
    command: Command = options.command
    try:
        return command(options)
    except (SettingsError, WayvaultError, DemoError, BusUnavailable, MigrationError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.crm", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    _add(commands, "web", _web, "serve the pages")
    _add(commands, "worker", _worker, "send and consume events, keep timers")
    _add(commands, "migrate", _migrate, "bring the database to the newest revision and make the queue")
    _add(commands, "check-config", _check_config, "print the settings, secrets masked, and what is wrong with them")
    agency = _add(commands, "create-agency", _create_agency, "make an agency; prints its id")
    agency.add_argument("--name", required=True)
    agency.add_argument("--time-zone", default="America/New_York", help="IANA name")
    agent = _add(commands, "create-agent", _create_agent, "make an agent; prints their id and an invitation link")
    agent.add_argument("--agency", required=True, help="the agency's id")
    agent.add_argument("--name", required=True)
    agent.add_argument("--email", required=True)
    agent.add_argument("--role", choices=[role.value for role in Role], default=Role.AGENT.value)
    agent.add_argument("--time-zone", default="America/New_York", help="IANA name")
    for name, command, text in (
        ("invite-agent", _invite_agent, "print a fresh invitation link (a forgotten password)"),
        ("set-password", _set_password, "set an agent's password, read from the terminal or standard input"),
        ("reset-authenticator", _reset_authenticator, "let an agent set up a new authenticator (a lost phone)"),
    ):
        _add(commands, name, command, text).add_argument("--email", required=True)
    moved = _add(
        commands, "change-agent-email", _change_email, "change an agent's address; do the same in the vault (O11)"
    )
    moved.add_argument("--email", required=True, help="the present address")
    moved.add_argument("--new-email", required=True)
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
    parser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
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
    return 0


def _worker(_: argparse.Namespace) -> int:
    from services.crm import worker

    settings = load(CrmSettings)
    configure_logging(SERVICE, level=settings.log_level)
    export_traces(SERVICE)
    worker.run(bootstrap(settings))
    return 0


def _migrate(_: argparse.Namespace) -> int:
    from services.crm import worker

    settings = load(CrmSettings)
    MIGRATIONS.upgrade(settings.database_url)
    worker.bind_queue(bootstrap(settings))
    return 0


def _check_config(_: argparse.Namespace) -> int:
    return check_config(CrmSettings)


def _create_agency(options: argparse.Namespace) -> int:
    agency = _dependencies().access.directory.create_agency(AgencyData(name=options.name, time_zone=options.time_zone))
    print(agency.id)
    return 0


def _create_agent(options: argparse.Namespace) -> int:
    deps = _dependencies()
    data = AgentData(name=options.name, email=options.email, role=Role(options.role), time_zone=options.time_zone)
    agent = deps.access.directory.create_agent(options.agency, data)
    print(agent.id)
    _print_invitation(deps, agent)
    return 0


def _invite_agent(options: argparse.Namespace) -> int:
    deps = _dependencies()
    _print_invitation(deps, _agent(deps, options.email))
    return 0


def _set_password(options: argparse.Namespace) -> int:
    deps = _dependencies()
    agent = _agent(deps, options.email)
    password = getpass.getpass("New password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    deps.access.sign_in.set_password(agent.id, password)
    deps.core.sessions.end_all(agent.id)
    print(f"{agent.name} has a new password; every session of theirs was ended.")
    return 0


def _reset_authenticator(options: argparse.Namespace) -> int:
    deps = _dependencies()
    agent = _agent(deps, options.email)
    deps.access.sign_in.reset_authenticator(agent.id)
    deps.core.sessions.end_all(agent.id)
    print(f"{agent.name} sets up a new authenticator at the next sign-in.")
    return 0


def _change_email(options: argparse.Namespace) -> int:
    deps = _dependencies()
    agent = deps.access.directory.change_email(_agent(deps, options.email).id, options.new_email)
    deps.core.sessions.end_all(agent.id)
    print(f"{agent.name} ({agent.id}) signs in with {agent.email} now. Change the address in the vault too (O11).")
    return 0


def _import_demo(options: argparse.Namespace) -> int:
    deps = _dependencies()
    file = options.file or deps.core.settings.state_dir / "demo.json"
    agents = import_demo(deps, file, options.crowd)
    for agent in agents:
        print(f"{agent.name} <{agent.email}> {agent.role} {agent.id}")
    print(f"Password of all: {agents[0].password} (kept in {file})")
    return 0


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
    return 0


def _demo_code(options: argparse.Namespace) -> int:
    from chassis.clock import SystemClock

    file = options.file or load(CrmSettings).state_dir / "demo.json"
    agent, code, seconds = demo_code(file, options.agent, SystemClock())
    print(f"{agent.name} <{agent.email}>: {code} (for {seconds} seconds)")
    return 0


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
