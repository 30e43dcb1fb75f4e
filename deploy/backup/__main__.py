"""`python -m deploy.backup {key,run,list,restore,drill}`: backups, sealed with age, and the proof that they work.

Where: --to, or WAYVAULT_BACKUP_DIR, or <state>/backup; best on another machine's disk. For whom: the recipients in
<folder>/recipients.txt. What opens them: --identity, or WAYVAULT_BACKUP_IDENTITY; keep that file somewhere else.

Exit status: 0 done; 1 not done, the message says why; 2 wrong arguments; 3 done, but something was found: a damaged
backup (--check), or a drill that proves less than it should.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from chassis.clock import SystemClock
from chassis.commands import DONE, FOUND, NOT_DONE
from chassis.errors import WayvaultError
from chassis.logging import configure_logging
from chassis.progress import at_work
from chassis.settings import SettingsError
from deploy import env_file
from deploy.backup import drill, seal
from deploy.backup.parts import data_sources, key_sources
from deploy.backup.places import demand_databases, places_of
from deploy.backup.raft import unseal_keys_of
from deploy.backup.rules import BackupFault, stamp_of
from deploy.backup.store import KEYS, Identities, Store
from deploy.dev.engines.host import EngineFault
from deploy.dev.settings import SettingsFault
from deploy.dev.state import State

_RECIPIENTS = "recipients.txt"


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    given = _parser().parse_args(arguments)
    configure_logging("backup", level="ERROR")  # what a person typed answers in plain words
    try:
        state = State.from_environment()
        folder = given.to or Path(os.environ.get("WAYVAULT_BACKUP_DIR") or state.root / "backup")
        with at_work(f"backup {given.command}"):
            status: int = given.run(given, state, Store(folder))
    except (BackupFault, EngineFault, SettingsError, SettingsFault, WayvaultError, OSError, ValueError) as fault:
        print(f"Not done: {fault}", file=sys.stderr)
        return NOT_DONE
    except SQLAlchemyError as fault:  # its text would quote the statement
        print(f"Not done: a database can't be used ({type(fault).__name__}). Was it migrated?", file=sys.stderr)
        return NOT_DONE
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.backup", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, help_text: str, run: object) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help_text, description=help_text)
        added.add_argument("--to", type=Path, metavar="FOLDER", help="the folder of backups")
        added.set_defaults(run=run)
        return added

    key = add("key", "make a key pair; the private half goes to the file that you name", _key)
    key.add_argument("--identity", type=Path, required=True, metavar="FILE")
    key.add_argument("--check", action="store_true", help="only say whether it could be made")
    make = add("run", "make a backup, then remove those that are kept no longer", _run)
    make.add_argument("--daily", type=int, default=7, help="days of which the newest backup is kept (7)")
    make.add_argument("--weekly", type=int, default=5, help="weeks of which the newest backup is kept (5)")
    make.add_argument("--check", action="store_true", help="only say what would be taken, and whether it can be")
    shown = add("list", "list the backups; with --check and an identity, whether each is whole", _list)
    shown.add_argument("--check", action="store_true")
    restore = add("restore", "bring a backup back, over nothing that exists", _restore)
    restore.add_argument("--at", default="", metavar="NAME", help="which (default: the newest)")
    restore.add_argument("--check", action="store_true", help="only open everything and compare the sums")
    restore.add_argument(
        "--without", action="append", default=[], metavar="PART", help="leave a part as it is, such as rabbitmq"
    )
    exercise = add("drill", "prove on an empty place that a backup works, and that trimmed cards stay gone", _drill)
    exercise.add_argument("--at", default="", metavar="NAME", help="which (default: the newest)")
    exercise.add_argument(
        "--unseal",
        type=Path,
        metavar="FILE",
        help="HashiCorp Vault's unseal keys: loads its snapshot into a Vault apart",
    )
    for command in (shown, restore, exercise):
        command.add_argument("--identity", type=Path, metavar="FILE", help="what opens the backup")
    return parser


def _key(given: argparse.Namespace, _state: State, store: Store) -> int:
    if given.check:
        seal.demand_new(given.identity)
        print(f"Would write the private half to {given.identity}, the public one to {store.folder / _RECIPIENTS}.")
        return DONE
    recipient = seal.make_key(given.identity, store.folder / _RECIPIENTS)
    print(f"Backups in {store.folder} are sealed to {recipient} from now on.")
    print(f"Next: keep {given.identity} on another machine and on paper. Without it no backup opens.")
    return DONE


def _run(given: argparse.Namespace, state: State, store: Store) -> int:
    if given.daily < 1 or given.weekly < 0:
        raise BackupFault("--daily is at least 1, --weekly at least 0.")
    places = places_of(state)
    demand_databases(places, state)
    recipients = seal.recipients_of(store.folder / _RECIPIENTS)
    data, keys = list(data_sources(places)), list(key_sources(places))
    if given.check:
        print(f"Would take {', '.join(f'{source.name} ({source.kind})' for source in [*data, *keys])}")
        print(f"into {store.folder}, for {len(recipients)} recipient(s).")
        return DONE
    now = SystemClock().now()
    name = stamp_of(now)
    print(f"backup {name}", flush=True)
    # The keys last: whatever version the copied rows need is in the copied keys, unless it was destroyed meanwhile.
    store.make(name, data, recipients, now, _say)
    store.make(KEYS, keys, recipients, now, _say)
    gone = store.thin_out(daily=given.daily, weekly=given.weekly)
    print(f"Done: {store.folder / name}. Kept: {len(store.names())}; removed as too old: {len(gone)}.")
    print("Next: copy the folder to another place. `python -m deploy.backup drill` proves that it works.")
    return DONE


def _list(given: argparse.Namespace, _state: State, store: Store) -> int:
    identities = _identities(given) if given.check else []
    damaged = 0
    for name in store.names():
        manifest = store.manifest(name)
        size = sum(part.size for part in manifest.parts)
        faults = store.check(name, identities) if given.check else []
        verdict = ("  whole" if not faults else "  DAMAGED") if given.check else ""
        print(f"{name}  {size:>14,} bytes  {len(manifest.parts)} parts{verdict}", flush=True)
        for fault in faults:
            print(f"  {fault}")
        damaged += bool(faults)
    print(f"{len(store.names())} backup(s) in {store.folder}" + (f", {damaged} damaged" if given.check else ""))
    return FOUND if damaged else DONE


def _restore(given: argparse.Namespace, state: State, store: Store) -> int:
    name, identities = given.at or store.newest(), _identities(given)
    if given.check:
        faults = [*store.check(name, identities), *store.check(KEYS, identities)]
        print("\n".join(faults) or f"{name} and the keys are whole.")
        return FOUND if faults else DONE
    places = places_of(state)
    keys, data = list(key_sources(places)), [each for each in data_sources(places) if each.name not in given.without]
    # Before HashiCorp Vault takes its snapshot: what it had is gone then.
    if faults := [*store.look(KEYS, keys, identities), *store.look(name, data, identities)]:
        raise BackupFault("\n".join(["Nothing was put back.", *faults]))
    print(f"restoring {name}", flush=True)
    store.restore(KEYS, keys, identities, _say)
    store.restore(name, data, identities, _say)
    print("Done: everything is back, with as many rows as the backup had.")
    print("Next: `make certificates`; on PostgreSQL `python -m deploy.postgres.bootstrap grants`; start everything;")
    print("`python -m services.vault verify-audit`.")
    return DONE


def _drill(given: argparse.Namespace, state: State, store: Store) -> int:
    name, identities = given.at or store.newest(), _identities(given)
    print(f"drill with backup {name}", flush=True)
    places = places_of(state)
    if places.keyring is not None and all(url.startswith("sqlite:") for url in places.databases.values()):
        result = drill.drill_embedded(store, name, identities, _say)
    else:
        keys = unseal_keys_of(given.unseal) if given.unseal else []
        result = drill.drill_engines(
            store, name, identities, _say, places=places, admin_url=_admin_url(state), unseal_keys=keys
        )
    for fault in result.faults:
        print(f"FOUND {fault}")
    if result.faults:
        print("The drill failed. Next: keep this backup as it is, make another one, and run the drill on that.")
        return FOUND
    if not result.complete:
        print("The drill went well, but no card was held: that a card opens is not proven.")
        return FOUND
    print("The drill went well. Nothing of the installation was changed.")
    return DONE


def _admin_url(state: State) -> str:
    name = "WAYVAULT_POSTGRES_ADMIN_URL"
    url = os.environ.get(name) or env_file.read(state.engines / "engines.env").get(name)
    if not url:
        raise BackupFault(f"Scratch databases need an administrator of PostgreSQL: set {name}.")
    return url


def _identities(given: argparse.Namespace) -> Identities:
    file = given.identity or os.environ.get("WAYVAULT_BACKUP_IDENTITY")
    if not file:
        raise BackupFault("Name what opens the backup: --identity FILE, or WAYVAULT_BACKUP_IDENTITY.")
    return seal.identities_of(Path(file))


def _say(line: str) -> None:
    print(f"  {line.strip()}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
