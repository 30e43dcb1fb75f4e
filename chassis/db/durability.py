"""Whether what a database has acknowledged survives a power cut, and a failover."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import text

from chassis.db.engine import DATABASE_AWAY, Database
from chassis.settings import SettingsError

_ASKED: Final = "SELECT name, setting FROM pg_settings WHERE name = ANY(:names)"
# Every role may see who receives the server's changes, by the name that each gives itself.
_RECEIVERS: Final = "SELECT coalesce(application_name, '') FROM pg_stat_replication ORDER BY 1"
# They keep changes for a restore; no failover goes to them.
_ARCHIVES: Final = ("pg_receivewal", "pg_basebackup", "pgbackrest", "barman")
_NAMES: Final = ("fsync", "full_page_writes", "synchronous_commit", "synchronous_standby_names")


class NotDurable(SettingsError):
    """PostgreSQL is set to forget what it acknowledged; the message has one line per setting."""


def durability_faults(settings: Mapping[str, str], receivers: Sequence[str] = ()) -> list[str]:
    """What is wrong with these settings of PostgreSQL, for an operator; empty when every commit is kept.

    `synchronous_commit` "local" keeps it on this server only, so that a failover to a synchronous standby forgets it.
    `receivers` are the names of those that follow the server: with a standby among them, and none that commits wait
    for, a failover forgets what the standby did not have yet.
    """
    found = [
        f"PostgreSQL's {name} is off: what it acknowledged is lost or broken after a power cut. Set it to on."
        for name in ("fsync", "full_page_writes", "synchronous_commit")
        if settings.get(name) == "off"
    ]
    if settings.get("synchronous_standby_names") and settings.get("synchronous_commit") == "local":
        found.append(
            "PostgreSQL's synchronous_commit is local, which waits for no standby: a failover would forget what was "
            "acknowledged. Set it to on."
        )
    standbys = [name for name in receivers if not name.startswith(_ARCHIVES)]
    if standbys and not settings.get("synchronous_standby_names"):
        found.append(
            f"PostgreSQL has a standby ({', '.join(standbys)}) and its synchronous_standby_names is empty: a failover "
            "would forget what was acknowledged, and a card could be shown twice. Name the standbys there "
            "(with Patroni: synchronous_mode_strict)."
        )
    return found


def demand_durable(database: Database) -> None:
    """Raises NotDurable when this database may forget a commit. SQLite is set by us; one that is away is not judged."""
    if database.dialect != "postgresql":
        return
    try:
        with database.engine.connect() as connection:
            rows = connection.execute(text(_ASKED), {"names": list(_NAMES)})
            settings = {str(name): str(value) for name, value in rows}
            receivers = [str(name) for (name,) in connection.execute(text(_RECEIVERS))]
    except DATABASE_AWAY:
        return
    if faults := durability_faults(settings, receivers):
        raise NotDurable("\n".join(faults))
