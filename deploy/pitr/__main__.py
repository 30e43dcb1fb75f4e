"""`python -m deploy.pitr {follow,base,list,restore}`: a PostgreSQL server as it stood at any moment since a copy of it.

Where: --to, or WAYVAULT_BACKUP_DIR, or <state>/backup; in it pitr/<name of the server>. For whom: recipients.txt there
(`python -m deploy.backup key` makes it). Which server: WAYVAULT_POSTGRES_ADMIN_URL, by a role that may replicate; where
the vault has a server of its own, run all of this once more with that URL and --server vault.

Exit status: 0 done; 1 not done, the message says why; 2 wrong arguments; 3 done, but something was found: changes that
are missing or too old (list).
"""

import argparse
import os
import pwd
import shutil
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chassis.clock import SystemClock
from chassis.commands import DONE, FOUND, NOT_DONE
from chassis.progress import at_work
from deploy import env_file
from deploy.backup import seal
from deploy.backup.rules import BackupFault, stamp_of
from deploy.backup.store import Store
from deploy.dev.engines.host import EngineFault
from deploy.dev.state import State
from deploy.files import private_directory
from deploy.pitr.archive import Archive, may_replicate, receiver
from deploy.pitr.rules import missing_after

_STOP_SECONDS = 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    given = _parser().parse_args(arguments)
    try:
        state = State.from_environment()
        folder: Path = given.to or Path(os.environ.get("WAYVAULT_BACKUP_DIR") or state.root / "backup")
        # `follow` runs until it is told to stop, and says so.
        with nullcontext() if given.command == "follow" else at_work(f"{given.command} of {given.server}"):
            status: int = given.run(given, state, Store(folder), Archive(folder / "pitr" / given.server))
    except (BackupFault, EngineFault, OSError, ValueError) as fault:
        print(f"Not done: {fault}", file=sys.stderr)
        return NOT_DONE
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.pitr", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, help_text: str, run: object) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help_text, description=help_text)
        added.add_argument("--to", type=Path, metavar="FOLDER", help="the folder of backups")
        added.add_argument("--server", default="main", metavar="NAME", help="which server's archive (main)")
        added.set_defaults(run=run)
        return added

    follow = add("follow", "receive and seal every change, until it is told to stop", _follow)
    follow.add_argument("--every", type=float, default=10.0, metavar="SECONDS", help="how often to seal (10)")
    follow.add_argument("--check", action="store_true", help="only say whether it could be done")
    base = add("base", "copy the whole server, then remove copies and changes that are kept no longer", _base)
    base.add_argument("--keep", type=int, default=2, help="how many copies to keep (2)")
    base.add_argument("--check", action="store_true", help="only say whether it could be done")
    shown = add("list", "list copies, and how far the changes reach; exit status 3 for what is missing", _list)
    shown.add_argument("--oldest", type=float, default=5.0, metavar="MINUTES", help="how old the newest may be (5)")
    restore = add("restore", "make a server's data folder as of a moment, over nothing that exists", _restore)
    restore.add_argument(
        "--at", required=True, metavar="MOMENT", help="ISO 8601, with its zone: 2026-11-27T10:15:00Z; or: latest"
    )
    restore.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="an empty folder")
    restore.add_argument("--identity", type=Path, metavar="FILE", help="what opens the backup")
    restore.add_argument("--check", action="store_true", help="only say of which copy, and whether it could be done")
    restore.add_argument("--account", default="postgres", help="whom the folder is given to, where we may (postgres)")
    return parser


def _follow(given: argparse.Namespace, state: State, store: Store, archive: Archive) -> int:
    recipients = seal.recipients_of(store.folder / "recipients.txt")
    if given.check:
        _demand_replication(state)
        print(f"Would follow {given.server} into {archive.wal}, for {len(recipients)} recipient(s).")
        return DONE
    private_directory(store.folder / "pitr")
    private_directory(archive.folder)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    process = receiver(_url(state), archive.received)
    print(f"Following {given.server}; sealed every {given.every:g} s into {archive.wal}.", flush=True)
    try:
        while process.poll() is None and not stop.wait(given.every):
            archive.seal_received(recipients)
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)
        archive.seal_received(recipients)
    if not stop.is_set():
        raise BackupFault(f"pg_receivewal ended with {process.returncode}. Run this again: it goes on where it was.")
    print("Stopped; all that was received is sealed. The server keeps what comes now until this runs again.")
    return DONE


def _base(given: argparse.Namespace, state: State, store: Store, archive: Archive) -> int:
    if given.keep < 1:
        raise BackupFault("--keep is at least 1.")
    recipients = seal.recipients_of(store.folder / "recipients.txt")
    _demand_replication(state)
    if given.check:
        print(f"Would copy {given.server} into {archive.bases.folder}, for {len(recipients)} recipient(s).")
        return DONE
    now = SystemClock().now()
    private_directory(store.folder / "pitr")
    private_directory(archive.folder)
    print(f"copying {given.server}", flush=True)
    archive.copy_server(_url(state), stamp_of(now), recipients, now, _say)
    copies, segments = archive.thin_out(keep=given.keep)
    print(f"Done: {archive.bases.folder / stamp_of(now)}. Removed as too old: {copies} copies, {segments} segments.")
    print("Next: `python -m deploy.pitr list` says how far the changes reach; without `follow` they reach nowhere.")
    return DONE


def _demand_replication(state: State) -> None:
    if not may_replicate(_url(state)):
        raise BackupFault("This role of PostgreSQL may not replicate: ALTER ROLE … REPLICATION, or name another.")


def _list(given: argparse.Namespace, _state: State, _store: Store, archive: Archive) -> int:
    found = 0
    for name in archive.bases.names():
        print(f"copy {name}")
    if not archive.bases.names():
        found = _find("there is no copy: `python -m deploy.pitr base`")
    for name in missing_after(archive.segments()):
        found = _find(f"changes are missing after {name}: a restore gets no further")
    until = archive.followed_at()
    print(
        f"{len(archive.segments())} segments of changes" + (f", until {until:%Y-%m-%d %H:%M:%S} UTC" if until else "")
    )
    if until is None or SystemClock().now() - until > timedelta(minutes=given.oldest):
        found = _find("no change was received lately: `python -m deploy.pitr follow` does not run")
    return found


def _find(what: str) -> int:
    print(f"FOUND {what}")
    return FOUND


def _restore(given: argparse.Namespace, _state: State, _store: Store, archive: Archive) -> int:
    at = None if given.at == "latest" else datetime.fromisoformat(given.at)
    if at is not None and at.tzinfo is None:
        raise BackupFault("--at needs its zone, such as 2026-11-27T10:15:00Z.")
    file = given.identity or os.environ.get("WAYVAULT_BACKUP_IDENTITY")
    if not file:
        raise BackupFault("Name what opens the backup: --identity FILE, or WAYVAULT_BACKUP_IDENTITY.")
    moment, identities = at.astimezone(UTC) if at else None, seal.identities_of(Path(file))
    if given.check:
        print(f"Would make {given.data} of the copy {archive.copy_for(given.data, moment)}.")
        return DONE
    base = archive.restore(given.data, moment, identities, _say)
    _give(given.data, given.account)
    print(f"Done: {given.data}, of the copy {base}, to be replayed until {given.at}.")
    print(
        "Next: start PostgreSQL on it; it opens for writing once it has replayed. Then look: `python -m services.vault"
    )
    print(f"verify-audit`. Remove {given.data}/restored_wal when all is well, and take a new copy: `base`.")
    return DONE


def _give(folder: Path, account: str) -> None:
    if os.geteuid() != 0:
        return
    try:
        entry = pwd.getpwnam(account)
    except KeyError:
        raise BackupFault(f"There is no account {account!r} to give {folder} to: name one by --account.") from None
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, entry.pw_uid, entry.pw_gid)


def _url(state: State) -> str:
    name = "WAYVAULT_POSTGRES_ADMIN_URL"
    url = os.environ.get(name) or env_file.read(state.engines / "engines.env").get(name)
    if not url:
        raise BackupFault(f"Who replicates needs to be known: set {name}.")
    return url


def _say(line: str) -> None:
    print(f"  {line.strip()}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
