"""`python -m services.vault <command>`: the vault's processes and the operator's commands."""

import argparse
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import structlog

from chassis.clock import SystemClock
from chassis.commands import (
    DONE,
    EXIT_STATUSES,
    FOUND,
    NOT_DONE,
    NotDone,
    add_check,
    add_command,
    on_the_database,
    would_migrate,
)
from chassis.db import Database, open_database
from chassis.db.migrate import MigrationError
from chassis.health import READINESS, Readiness
from chassis.lifecycle import give_way
from chassis.logging import configure_logging
from chassis.rpc import demand_serving, open_channel
from chassis.sealing import SealError
from chassis.settings import ServiceSettings, SettingsError, check_config, load
from chassis.telemetry import export_traces
from services.vault import server, worker
from services.vault.audit.service import exported
from services.vault.audit.syslog import Receiver, SyslogFault, forward, waiting
from services.vault.bootstrap import bootstrap
from services.vault.config import VaultSettings
from services.vault.migrations import MIGRATIONS
from services.vault.operator_commands import add_operator_commands
from services.vault.retention.report import make_report

_SERVING = ("serve", "worker", "web", "charging")
# What reads or changes much by itself; the operator's commands, which may ask a person first, say it when they wait.
_LONG = ("migrate", "retention-report", "export-audit")
_EMBEDDED = "transit.embedded_keyring"


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m services.vault", description=__doc__, epilog=EXIT_STATUSES)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (help_text, run) in _PROCESSES.items():
        added = add_command(commands, name, help_text)
        added.set_defaults(run=run)
        if name in ("migrate", "export-audit"):
            add_check(added)
        if name == "export-audit":
            _add_export_options(added)
        if name == "check-config":
            added.add_argument("of", nargs="?", choices=("vault", "phone"), default="vault", help="whose settings")
    add_command(commands, "phone", "the masker of calls, with settings of its own (PHONE_…)")
    add_operator_commands(commands)
    given = parser.parse_args(arguments)
    try:
        if given.command == "check-config":
            return check_config(_settings_of(given.of))
        if given.command == "phone":
            return _mask()
        settings = load(VaultSettings)
        # A command that a person typed answers in plain words; only what goes wrong is logged beside them.
        configure_logging("vault", level=settings.log_level if given.command in _SERVING else "WARNING")
        if given.command in _SERVING:
            export_traces("vault")
        with on_the_database(given.command) if given.command in _LONG else nullcontext():
            status: int = given.run(settings, given)
    except (SettingsError, SealError, MigrationError, NotDone) as error:
        print(error, file=sys.stderr)
        return NOT_DONE
    return status


def _add_export_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ocsf", action="store_true", help="as OCSF 1.3, class API Activity")
    parser.add_argument(
        "--syslog", metavar="HOST:PORT", help="send OCSF events over syslog with TLS (RFC 5425) instead"
    )
    parser.add_argument("--syslog-ca", type=Path, metavar="FILE", help="the authority of its certificate")
    parser.add_argument("--syslog-cert", type=Path, metavar="FILE", help="our certificate, where it asks for one")
    parser.add_argument("--syslog-key", type=Path, metavar="FILE", help="the key of our certificate")
    parser.add_argument("--position", type=Path, metavar="FILE", help="how far the trail was sent; next time goes on")


def _serve(settings: VaultSettings, _: argparse.Namespace) -> int:
    """Answers gRPC on the shared port until it is told to stop; any number of these may run side by side."""
    _require_ready(settings)
    stop = threading.Event()
    server.run(
        bootstrap(settings, stop=stop),
        settings.listen,
        settings.tls,
        workers=settings.workers,
        metrics=settings.metrics_listen,
        stop=stop,
    )
    return 0


def _work(settings: VaultSettings, _: argparse.Namespace) -> int:
    """The sweep each minute, keys that rotate in time, signed audit heads."""
    _require_ready(settings)
    give_way()
    stop = threading.Event()
    worker.run(bootstrap(settings, stop=stop), metrics=settings.metrics_listen, stop=stop)
    return 0


def _web(settings: VaultSettings, _: argparse.Namespace) -> int:
    """The secure frame's pages, on an origin of their own."""
    # Only this process needs the web stack.
    from flask import Flask

    from chassis.web.server import serve
    from services.vault.frame.app import FrameSettings, create_app
    from services.vault.frame_keys import VaultSealingKeys

    if problems := settings.frame_problems():
        raise SettingsError("\n".join(problems))
    keys = VaultSealingKeys(settings.vault_address, settings.tls_of("frame"), settings.vault_server_name)

    def site() -> Flask:
        app = create_app(FrameSettings.of(settings), keys)
        channel = open_channel(settings.vault_address, settings.tls_of("frame"), settings.vault_server_name)
        app.extensions[READINESS] = Readiness({"vault": lambda: demand_serving(channel)})
        return app

    serve(
        site,
        settings.web_listen,
        threads=4,
        metrics=settings.web_metrics_listen,
        after=keys.close,
    )
    return 0


def _settings_of(program: str) -> type[ServiceSettings]:
    if program == "phone":
        from services.vault.phone.config import PhoneSettings

        return PhoneSettings
    return VaultSettings


def _mask() -> int:
    """The masker: no database, no vault settings; a certificate and settings of its own."""
    # Its products are small and many; more threads of BLAS would only stand in each other's way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from services.vault.phone.config import PhoneSettings
    from services.vault.phone.program import run

    settings = load(PhoneSettings)
    if problems := settings.problems():
        raise SettingsError("\n".join(problems))
    configure_logging("phone", level=settings.log_level)
    export_traces("phone")
    run(settings)
    return 0


def _charge(settings: VaultSettings, _: argparse.Namespace) -> int:
    """Charges cards at the agencies' gateways, and finds out what became of charges whose answer was lost."""
    from services.vault.charging.bootstrap import bootstrap as bootstrap_charging
    from services.vault.charging.program import run

    _require_ready(settings, settings.charging_problems())
    run(bootstrap_charging(settings), settings)
    return 0


def _migrate(settings: VaultSettings, given: argparse.Namespace) -> int:
    # The application's role has no rights on new tables until deploy/postgres/bootstrap grants them.
    url = settings.owner_database_url or settings.database_url
    if given.check:
        return would_migrate(MIGRATIONS, url)
    MIGRATIONS.upgrade(url)
    MIGRATIONS.check(url)
    print("The vault's database is up to date.")
    print("Next: on PostgreSQL `python -m deploy.postgres.bootstrap grants`; then start its processes.")
    return DONE


def _report(settings: VaultSettings, _: argparse.Namespace) -> int:
    """What is kept and until when; exit status 3 when something is overdue."""
    database = open_database(settings.database_url, name="vault-report")
    try:
        report = make_report(database, SystemClock())
    finally:
        database.dispose()
    print("\n".join(report.lines()))
    return FOUND if report.overdue else DONE


def _export(settings: VaultSettings, given: argparse.Namespace) -> int:
    """The audit trail as JSON lines on standard output, one a row; or what is new of it, to a SIEM."""
    database = open_database(settings.database_url, name="vault-export")
    try:
        if given.syslog:
            return _forward(database, given)
        with database.read() as session:
            lines = exported(session, ocsf=given.ocsf)
            if given.check:
                print(f"{sum(1 for _ in lines)} rows would be written to standard output.")
                return DONE
            for line in lines:
                print(line)
    finally:
        database.dispose()
    return 0


def _forward(database: Database, given: argparse.Namespace) -> int:
    if given.position is None:
        raise SettingsError("--syslog needs --position FILE: where it stands how far the trail was sent.")
    receiver = Receiver(address=given.syslog, ca=given.syslog_ca, cert=given.syslog_cert, key=given.syslog_key)
    try:
        if given.check:
            with receiver.connected():
                print(f"{given.syslog} takes the connection; {waiting(database, given.position)} rows would be sent.")
            return DONE
        sent = forward(database, receiver, given.position)
    except (SyslogFault, OSError) as fault:
        print(f"Not sent, or not all: {fault}. Run it again: it goes on where it ended.", file=sys.stderr)
        return NOT_DONE
    print(f"Sent {sent} rows to {given.syslog}. Next: the same again, by a timer; it goes on where this ended.")
    return 0


def _require_ready(settings: VaultSettings, more: Sequence[str] = ()) -> None:
    if problems := [*settings.problems(), *more]:
        raise SettingsError("\n".join(problems))
    if settings.embedded_transit:
        structlog.get_logger("vault").warning(
            _EMBEDDED, meaning="keys are kept in a file on this machine: for one machine, not for production"
        )


_PROCESSES: dict[str, tuple[str, Callable[[VaultSettings, argparse.Namespace], int]]] = {
    "serve": ("answer gRPC (several may share the port)", _serve),
    "worker": ("sweep, key rotation, audit heads", _work),
    "web": ("the secure frame's pages", _web),
    "charging": ("charge cards at the agencies' gateways", _charge),
    "migrate": ("bring the database up to date", _migrate),
    "retention-report": ("say what is kept, until when, and what is overdue (O10); exit status 3 if anything", _report),
    "export-audit": ("write the audit trail as JSON lines (O8); --ocsf, --syslog for a SIEM", _export),
    "check-config": ("print the settings, and what is wrong with them", lambda _settings, _given: 0),
}


if __name__ == "__main__":
    sys.exit(main())
