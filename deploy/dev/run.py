"""The runner behind `make up`: python -m deploy.dev.run {up,down,status,logs,demo-code,demo-large} [--check]

Starts all services of one checkout under one supervisord: certificates, migrations, demo agency, processes, health.
Safe to run again at any time. `up --check` starts nothing: it says what would be started, and whether it can be.

Exit status: 0 done; 1 not done, the message says why; 2 wrong arguments; 3 something is not well (status).
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg

from chassis.clock import SystemClock
from chassis.commands import DONE, FOUND, NOT_DONE
from chassis.progress import at_work
from deploy.dev import certificates, databases, demo
from deploy.dev.certificates import RENEW_BEFORE_END, inventory
from deploy.dev.engines.host import EngineFault, port_is_taken
from deploy.dev.health import has_failed, is_settled, probe_of
from deploy.dev.programs import Program, configuration, programs_of
from deploy.dev.settings import Origins, SettingsFault, collect, environment_of
from deploy.dev.state import State
from deploy.dev.supervisor import Supervisor, run_command
from deploy.phone import extensions, kamailio

ROOT = Path(__file__).resolve().parents[2]
_READY_WITHIN_SECONDS = 180.0


class RunFault(Exception):
    """The stack can't start; the message says why and what to do."""


def up(state: State) -> None:
    """Starts everything and returns when it is ready. Raises RunFault and the faults of its parts."""
    started = time.monotonic()
    settings = collect(state)
    state.root.mkdir(parents=True, exist_ok=True, mode=0o711)
    supervisor = Supervisor(state)
    wanted = configuration(state, settings, ROOT)
    if not supervisor.runs_with(wanted):
        if supervisor.stop():
            print("settings have changed: starting afresh", flush=True)
        programs = programs_of(state, settings)
        _demand_ports(programs)
        _step("certificates and keys", lambda: certificates.ensure(state))
        _step("databases", lambda: databases.migrate(state, settings, ROOT))
        _step("demo agency", lambda: demo.import_agency(state, settings, ROOT))
        if has_phone(settings):
            _step("telephones", lambda: kamailio.prepare(state.phone, listening_of(state)))
        supervisor.start(wanted)
        supervisor.wait_for_socket()
    _step("services", lambda: _wait(supervisor, programs_of(state, settings), state))
    _step("demo data read by portal and notifier", lambda: demo.await_arrival(state, settings, ROOT))
    _step("agents enrolled at the vault", lambda: demo.enrol_agents(state, settings, ROOT))
    welcome(state, settings, time.monotonic() - started)


def has_phone(settings: Mapping[str, str]) -> bool:
    """Whether the stack takes cards by phone (PHONE=1)."""
    return bool(settings.get("CRM_PHONE_ADDRESS"))


def listening_of(state: State) -> kamailio.Listening:
    """Where Kamailio answers on this machine."""
    ports = state.ports
    return kamailio.Listening(address="127.0.0.1", port=ports.sip, ng_port=ports.phone_ng)


def down(state: State) -> None:
    """Ends everything that `up` started; engines stay."""
    print("Wayvault is stopped." if Supervisor(state).stop() else "Wayvault was not running.")


def status(state: State) -> bool:
    """Prints how each process is; returns whether all are well."""
    supervisor = Supervisor(state)
    records = {record["name"]: record for record in supervisor.processes()} if supervisor.runs() else {}
    if not records:
        print("Wayvault is not running. `make up` starts it.")
        return False
    well = True
    for program in programs_of(state, collect(state)):
        record = records.get(program.name, {})
        answers = is_settled(record) and probe_of(program, state.certs)()
        well = well and answers
        print(f"{program.name:16} {'ok' if answers else 'NOT WELL':9} {record.get('description', 'not started')}")
    for name, days in inventory(state, SystemClock())[:1]:
        word = "ok" if days > RENEW_BEFORE_END.days else "END SOON"
        print(f"{'certificates':16} {word:9} the first ends in {days:.0f} days: {name}")
    return well


def logs(state: State) -> None:
    """Follows all logs until interrupted."""
    files = sorted(str(path) for path in state.log.glob("*.log"))
    if not files:
        raise RunFault(f"There are no logs in {state.log}. `make up` starts the services.")
    os.execvp("tail", ["tail", "-n", "20", "-F", *files])  # noqa: S606  # replaces this process


def demo_code(state: State, agent: str) -> int:
    """Prints the authenticator code that a demo agent's phone would show now."""
    arguments = ["services.crm", "demo-code", "--agent", agent, "--file", str(demo.demo_file(state))]
    process = run_command(arguments, environment=environment_of("crm", collect(state)), root=ROOT)
    print(process.communicate(timeout=60)[0].strip())
    return process.returncode


def demo_large(state: State) -> int:
    """Adds the agency for speed work to the CRM's database, showing how far it is."""
    settings = collect(state)
    state.root.mkdir(parents=True, exist_ok=True, mode=0o711)
    # The migrations open each program's keys; before the first `make up` there are none.
    certificates.ensure(state)
    databases.migrate(state, settings, ROOT)
    process = run_command(["services.crm", "import-large"], environment=environment_of("crm", settings), root=ROOT)
    for line in process.stdout or ():
        print(line, end="", flush=True)
    return process.wait(timeout=60)


def _step(name: str, action: Callable[[], object]) -> None:
    started = time.monotonic()
    if sys.stdout.isatty():
        print(f"  {name} …", end="\r", flush=True)
    with at_work(name):
        action()
    print(f"  {name} ({time.monotonic() - started:.1f} s)", flush=True)


def looked_at(state: State) -> str:
    """What `up` would do now, for people. Raises RunFault and SettingsFault for what stands in its way."""
    settings = collect(state)
    programs = programs_of(state, settings)
    if Supervisor(state).runs_with(configuration(state, settings, ROOT)):
        return f"All {len(programs)} programs run already."
    _demand_ports(programs)
    return f"Would start {', '.join(program.name for program in programs)}, in {state.root}."


def _demand_ports(programs: list[Program]) -> None:
    taken = [program.port for program in programs if program.port and port_is_taken(program.port)]
    if taken:
        names = ", ".join(str(port) for port in taken)
        raise RunFault(
            f"Port {names} on 127.0.0.1 is taken by another program. Stop it (`ss -ltnp` names it), or choose other "
            "ports for Wayvault: make up WAYVAULT_PORT_BASE=8200."
        )


def _wait(supervisor: Supervisor, programs: list[Program], state: State) -> None:
    """Returns when every process runs and answers. Raises RunFault with the log of one that does not."""
    waiting = {program.name: (program, probe_of(program, state.certs)) for program in programs}
    ends = time.monotonic() + _READY_WITHIN_SECONDS
    while waiting:
        records = {record["name"]: record for record in supervisor.processes()}
        for name in list(waiting):
            if is_settled(records.get(name, {})) and waiting[name][1]():
                del waiting[name]
        failed = [name for name in waiting if has_failed(records.get(name, {}))]
        if failed:
            raise RunFault(f"{failed[0]} does not start.{_end_of_log(state, failed[0])}")
        if waiting and time.monotonic() > ends:
            name = next(iter(waiting))
            raise RunFault(f"{', '.join(waiting)} did not get ready.{_end_of_log(state, name)}")
        time.sleep(0.1)


def _end_of_log(state: State, name: str) -> str:
    path = state.log / f"{name}.log"
    if not path.exists():
        return ""
    lines = path.read_text("utf-8", errors="replace").splitlines()[-20:]
    return f" The end of {path}:\n  " + "\n  ".join(lines)


def welcome(state: State, settings: Mapping[str, str], seconds: float) -> None:
    """Prints where everything is and how to sign in."""
    origins, people = Origins.of(state), demo.people(state)
    mailbox = (
        f"Mailbox       {origins.mailbox}\n"
        if settings.get("NOTIFIER_SMTP_URL", "mailbox:").startswith("mailbox:")
        else ""
    )
    print(f"\nWayvault is ready ({seconds:.0f} s).\n\nCRM           {origins.crm}")
    print(f"Portal        {origins.portal}\n{mailbox}")
    print(f"Sign in with the password  {people['password']}  as")
    for agent in people["agents"]:
        code = f"authenticator code: make demo-code AGENT={agent['name'].split()[0].lower()}"
        how = code if agent["totp_secret"] else "sets up an authenticator app at first sign-in"
        print(f"  {agent['email']:26} {agent['name']}, {agent['role']}; {how}")
    if has_phone(settings):
        print(_telephones(state))
    print("\nmake status, make logs, make down. All data is in", state.root)


def _telephones(state: State) -> str:
    known = extensions.ensure(state.phone)
    lines = [f"\nTelephones    register a softphone at 127.0.0.1:{state.ports.sip} (UDP, G.711, DTMF by RFC 4733), as"]
    for user, whose in ((extensions.AGENT, "the agent"), (extensions.CLIENT, "the client")):
        lines.append(f"  {user}   password {known[user].password:20} {whose}")
    lines.append(f"and let the client call {extensions.AGENT}, or let two small telephones of ours play a call:")
    lines.append("  make demo-call; make phone-check makes a test call and says whether sound comes through")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.dev.run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("up", "down", "status", "logs", "demo-code", "demo-large"))
    parser.add_argument("--agent", default="maya", help="for demo-code: the first letters of a demo agent's name")
    parser.add_argument("--check", action="store_true", help="up: start nothing")
    given = parser.parse_args(arguments)
    if given.check and given.command != "up":
        parser.error("--check belongs to up; the other commands start nothing")
    try:
        state = State.from_environment()
        match given.command:
            case "up" if given.check:
                print(looked_at(state))
            case "up":
                up(state)
            case "down":
                with at_work("stopping"):
                    down(state)
            case "status":
                with at_work("asking each process"):
                    return DONE if status(state) else FOUND
            case "logs":
                logs(state)
            case "demo-large":
                return demo_large(state)
            case _:
                return demo_code(state, given.agent)
    except (
        RunFault,
        SettingsFault,
        EngineFault,
        certificates.CertificateFault,
        databases.MigrationFault,
        demo.DemoFault,
        kamailio.KamailioFault,
        psycopg.Error,
        subprocess.SubprocessError,
        ValueError,
        OSError,
    ) as fault:
        print(f"\n{fault}", file=sys.stderr)
        return NOT_DONE
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
