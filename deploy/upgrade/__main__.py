"""`python -m deploy.upgrade [--check]`: what an upgrade would do to the databases, and then does it.

Run it with the new version's code and the installation's settings, while the old processes go on. With --check nothing
is changed: it says which revisions would run, whether each only adds, through how many rows it goes, and with --copy
how long each takes on a copy.

Exit status: 0 done, or nothing stands in the way; 1 not done, the message says why; 2 wrong arguments; 3 a revision
does more than add, so the old processes must be stopped first (then: --stopped).
"""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from chassis.bus.operator import settings_of
from chassis.commands import DONE, FOUND, NOT_DONE
from chassis.db.migrate import MigrationError, Migrations
from chassis.errors import WayvaultError
from chassis.logging import configure_logging
from chassis.progress import Work, at_work
from chassis.settings import SettingsError, load
from deploy import env_file
from deploy.backup.rules import BackupFault
from deploy.dev.run import ROOT
from deploy.dev.settings import SERVICES, SettingsFault, collect, environment_of
from deploy.dev.state import State
from deploy.dev.supervisor import run_command
from deploy.postgres.bootstrap import grant_vault
from deploy.upgrade.plan import Plan, durations, plan_of
from services.vault.config import VaultSettings

# Readers before writers: whoever begins to write something new does so when those who read it know the column.
_ORDER = ("vault", "notifier", "portal", "crm")
assert set(_ORDER) == set(SERVICES)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    configure_logging("upgrade", level="ERROR")  # what a person typed answers in plain words
    services = tuple(given.service or _ORDER)
    if unknown := set(services) - set(_ORDER):
        parser.error(f"no service {', '.join(sorted(unknown))}; there are {', '.join(_ORDER)}")
    try:
        with at_work("upgrade") as work:
            return _run(given, services, work)
    except (BackupFault, MigrationError, SettingsError, SettingsFault, WayvaultError, OSError, ValueError) as fault:
        print(f"Not done: {fault}", file=sys.stderr)
    except (SQLAlchemyError, psycopg.Error) as fault:  # its text would quote the statement
        print(f"Not done: a database can't be used ({type(fault).__name__}).", file=sys.stderr)
    return NOT_DONE


def _run(given: argparse.Namespace, services: Sequence[str], work: Work) -> int:
    state = State.from_environment()
    for name, value in collect(state).items():
        os.environ.setdefault(name, value)
    admin_url = _admin_url(state)
    urls = {service: _url_of(service) for service in services}
    plans = {}
    for service in services:
        work.at(lambda service=service: f"looking at {service}")  # type: ignore[misc]
        plans[service] = plan_of(migrations_of(service), urls[service], admin_url=admin_url)
    for plan in plans.values():
        _tell(plan)
        if given.copy and plan.steps:
            work.at(lambda plan=plan: f"trying it on a copy of {plan.service}")  # type: ignore[misc]
            _time(plan, urls[plan.service], admin_url)
    return _checked(plans) if given.check else _upgrade(plans, urls, work, stopped=given.stopped)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.upgrade", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("service", nargs="*", metavar="service", help="whose database (default: all)")
    parser.add_argument("--check", action="store_true", help="only say what would be done, and whether it can be")
    parser.add_argument("--copy", action="store_true", help="try it on a copy of each database first, and time it")
    parser.add_argument("--stopped", action="store_true", help="no process of before runs any more")
    return parser


def migrations_of(service: str) -> Migrations:
    """The revisions of a service, as this code has them."""
    found: Migrations = importlib.import_module(f"services.{service}.migrations").MIGRATIONS
    return found


def _url_of(service: str) -> str:
    """The database by the role that may change its tables. Raises SettingsError."""
    if service == "vault":
        vault = load(VaultSettings)
        return vault.owner_database_url or vault.database_url
    return settings_of(service).database_url


def _admin_url(state: State) -> str:
    name = "WAYVAULT_POSTGRES_ADMIN_URL"
    return os.environ.get(name) or env_file.read(state.engines / "engines.env").get(name, "")


def _tell(plan: Plan) -> None:
    if plan.newer:
        print(f"{plan.service}: stands at {plan.present}, which a newer version made; this code goes on beside it")
        return
    if not plan.steps:
        print(f"{plan.service}: stands at {plan.present}, the newest")
        return
    print(f"{plan.service}: stands at {plan.present or 'nothing yet'}; {len(plan.steps)} revision(s) would run")
    for step in plan.steps:
        print(f"  {step.revision}: {step.purpose}")
        print(f"    {'NARROWS' if step.change.narrowed else 'only adds'}: {_what(step.change.grown)}")
        for words in step.change.narrowed:
            print(f"    old processes break on this: {words}")
        if step.reads:
            print("    goes through " + ", ".join(f"{count:,} rows of {name}" for name, count in step.reads.items()))


def _what(words: Sequence[str], *, most: int = 4) -> str:
    more = f", and {len(words) - most} more" if len(words) > most else ""
    return ("; ".join(words[:most]) or "the tables stay as they are") + more


def _time(plan: Plan, url: str, admin_url: str) -> None:
    print(f"  on a copy of {plan.service}'s database:", flush=True)
    for revision, seconds in durations(migrations_of(plan.service), url, plan, admin_url=admin_url):
        print(f"    {revision}: {seconds:.1f} s", flush=True)


def _checked(plans: Mapping[str, Plan]) -> int:
    if narrowing := [plan.service for plan in plans.values() if plan.narrows]:
        print(f"{', '.join(narrowing)}: a revision does more than add. Next: stop the old processes, make a backup")
        print("(`python -m deploy.backup run`), then `python -m deploy.upgrade --stopped`.")
        return FOUND
    if any(plan.steps for plan in plans.values()):
        print("Every revision only adds: old processes may go on meanwhile. Next: `python -m deploy.backup run`,")
        print("then `python -m deploy.upgrade`; start the new processes, then stop the old ones.")
    else:
        print("There is nothing to do.")
    return DONE


def _upgrade(plans: Mapping[str, Plan], urls: Mapping[str, str], work: Work, *, stopped: bool) -> int:
    if not stopped and any(plan.narrows for plan in plans.values()):
        return _checked(plans)
    for service, plan in plans.items():
        if plan.newer:
            continue
        print(f"{service}: migrating", flush=True)
        work.at(lambda service=service: f"migrating {service}")  # type: ignore[misc]
        _migrate(service)
        if service == "vault" and urls[service].startswith("postgresql"):
            grant_vault(urls[service])
            print("vault: the application's roles have their rights on the new tables")
    print("Done. Next: start the new processes; when `make status` says that they are well, stop the old ones.")
    print("To go back, start the old processes again: the databases stay as they are now, which those can live with.")
    return DONE


def _migrate(service: str) -> None:
    """The service's own `migrate`, which makes its queue too. Raises MigrationError."""
    environment = environment_of(service, os.environ)
    process = run_command([f"services.{service}", "migrate"], environment=environment, root=ROOT)
    said = process.communicate()[0]
    if process.returncode != 0:
        raise MigrationError(f"{service}: {said.strip()[-1500:]}")
    print("  " + said.strip().replace("\n", "\n  "))


if __name__ == "__main__":
    sys.exit(main())
