"""A vault's rooms over SQLite and the embedded keyring, without its server: for tests of the rooms."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from chassis.clock import Clock
from chassis.db import Database, open_database
from chassis.sealing import OpeningKey
from services.vault import models as _all_tables  # noqa: F401  # fills the metadata
from services.vault.audit.service import GUARDS, Audit
from services.vault.orm import Base
from services.vault.transit.service import Transit, open_transit


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultRooms:
    """What every room of the vault stands on."""

    database: Database
    transit: Transit
    audit: Audit
    clock: Clock
    heads_file: Path
    signing_key: OpeningKey

    def another_process(self) -> Audit:
        """The audit room as another process would open it."""
        audit = Audit(
            self.database,
            self.transit.sealing,
            heads_file=self.heads_file,
            signing_key=self.signing_key,
            clock=self.clock,
        )
        audit.prepare()
        return audit


@contextmanager
def vault_rooms(folder: Path, clock: Clock, *, database_url: str = "") -> Iterator[VaultRooms]:
    """Fresh rooms under a folder. Drops the tables at the end when the database is not a file of its own."""
    database = open_database(database_url or f"sqlite:///{folder}/vault.db", name="vault-test", pool_size=20)
    Base.metadata.drop_all(database.engine)
    Base.metadata.create_all(database.engine)
    with database.engine.begin() as connection:
        for statement in GUARDS[database.dialect]:
            connection.execute(text(statement))
    transit = open_transit(f"embedded:///{folder}/keyring.json", clock=clock)
    signing_key = OpeningKey.generate("vault-signing")
    heads_file = folder / "heads.jws"
    audit = Audit(database, transit.sealing, heads_file=heads_file, signing_key=signing_key, clock=clock)
    audit.prepare()
    try:
        yield VaultRooms(
            database=database,
            transit=transit,
            audit=audit,
            clock=clock,
            heads_file=heads_file,
            signing_key=signing_key,
        )
    finally:
        Base.metadata.drop_all(database.engine)
        database.dispose()
