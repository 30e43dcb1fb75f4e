"""The drill: proves on an empty place that a backup brings everything back, and that what was destroyed stays so.

It runs the vault's own code over the restored copies. Nothing of the installation is changed. No card number is shown,
logged or kept: a card "opens" when what comes out is a card of the brand and last four digits that its row has.
"""

import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.clock import SystemClock
from chassis.db import Database, open_database
from chassis.sealing import OpeningKey
from deploy.backup import postgres
from deploy.backup.parts import data_sources, key_sources
from deploy.backup.places import DATABASES, Places
from deploy.backup.raft import restored_vault
from deploy.backup.store import KEYS, Identities, Say, Store
from services.vault.audit.service import Audit
from services.vault.audit.service import wrapped_column as audit_column
from services.vault.config import VaultSettings
from services.vault.custody.models import CardRow
from services.vault.custody.service import card_context, wrapped_columns
from services.vault.keys.service import IN_FLIGHT, KeyService
from services.vault.sealing_keys.service import wrapped_column as sealing_column
from services.vault.transit.service import Cipher, CipherRefused, KeyName, Transit, open_transit

_ACTOR = "operator"
_ALL = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a drill saw. `complete` is false when there was no card to open, so that the main thing stays unproven."""

    faults: tuple[str, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class _AfterFlight:
    """The system's time, so much later that nothing can be on its way into the copy any more: nobody uses it."""

    def now(self) -> datetime:
        return SystemClock().now() + 2 * IN_FLIGHT + timedelta(seconds=1)


def drill_embedded(store: Store, name: str, identities: Identities, say: Say) -> Result:
    """The drill for the embedded engines, in a folder of its own that goes afterwards. Raises BackupFault."""
    with tempfile.TemporaryDirectory(dir=store.folder, prefix=".drill-") as scratch:
        places = places_under(Path(scratch) / "restored")
        say("restoring into an empty state directory")
        store.restore(name, list(data_sources(places)), identities, say)
        store.restore(KEYS, list(key_sources(places)), identities, say)
        vault = _Vault(places, _keyring_of(places))
        try:
            faults, opened = vault.prove(say)
            vault.destroy_old_keys()
        finally:
            vault.close()
        for number, backup in enumerate(dict.fromkeys([name, store.names()[0]])):
            url = f"sqlite:///{scratch}/earlier-{number}/vault.db"
            _restore_vault(store, backup, replace(places, databases={"vault": url}), identities)
            faults += _nothing_opens(backup, url, _keyring_of(places), say)
    return Result(faults=tuple(faults), complete=opened > 0)


def drill_engines(
    store: Store,
    name: str,
    identities: Identities,
    say: Say,
    *,
    places: Places,
    admin_url: str,
    unseal_keys: Sequence[str] = (),
) -> Result:
    """The drill for PostgreSQL and HashiCorp Vault: scratch databases beside the real ones.

    With the unseal keys the raft snapshot is loaded into a Vault of its own, and its keys open the card; without them
    the running Vault's do, and the snapshot's sum is compared only, as that of RabbitMQ's definitions. Older backups
    are tried with the running Vault's keys, so that what is proven is what the trims did until now. Nothing is changed.
    Raises BackupFault, EngineFault.
    """
    assert places.vault is not None
    settings = places.vault
    faults = [*store.check(name, identities), *store.check(KEYS, identities)]
    say(f"sums of {name} and of the keys compared")
    transit = _transit_at(settings.transit_url, settings.transit_ca, settings)
    with tempfile.TemporaryDirectory(dir=store.folder, prefix=".drill-") as scratch, ExitStack() as databases:
        urls = {key: databases.enter_context(postgres.scratch_database(admin_url)) for key in DATABASES}
        copy = replace(places_under(Path(scratch) / "restored"), databases=urls, bus=None, keyring=None)
        say("restoring into empty databases")
        store.restore(name, list(data_sources(copy)), identities, say)
        store.restore(KEYS, list(key_sources(copy)), identities, say)
        loaded = transit
        if unseal_keys:
            there = databases.enter_context(
                restored_vault(store, identities, unseal_keys, Path(scratch) / "hcvault", say)
            )
            loaded = _transit_at(there.address, there.ca, settings)
        vault = _Vault(copy, loaded)
        try:
            more, opened = vault.prove(say)
        finally:
            vault.close()
        faults += more
        oldest = store.names()[0]
        if oldest != name:
            url = databases.enter_context(postgres.scratch_database(admin_url))
            _restore_vault(store, oldest, replace(copy, databases={"vault": url}), identities)
            faults += _nothing_opens(
                oldest, url, transit, say, below=transit.rotation.info(KeyName.CARD).oldest_version
            )
    return Result(faults=tuple(faults), complete=opened > 0)


def _transit_at(address: str, ca: Path, settings: VaultSettings) -> Transit:
    """The installation's transit engine, or one that was restored from it."""
    return open_transit(
        address, clock=SystemClock(), auth_dir=settings.transit_auth_dir, mount=settings.transit_mount, ca=ca
    )


def places_under(state: Path) -> Places:
    """The embedded engines of an empty state directory."""
    return Places(
        databases={name: f"sqlite:///{state}/{name}/{name}.db" for name in DATABASES},
        audit_heads=state / "vault" / "audit-heads" / "heads.jsonl",
        charging_heads=state / "vault" / "audit-heads" / "heads-charging.jsonl",
        secrets=state / "secrets",
        bus=state / "bus" / "bus.db",
        keyring=state / "vault" / "keyring.json",
    )


class _Vault:
    """The vault's rooms over a restored copy."""

    def __init__(self, places: Places, transit: Transit) -> None:
        clock = _AfterFlight()
        self._database = open_database(places.databases["vault"], name="vault-drill")
        self._transit = transit
        signing = OpeningKey((places.secrets / "vault" / "letter_signing.jwk").read_bytes())
        self._audit = Audit(
            self._database,
            self._transit.sealing,
            heads_file=places.audit_heads,
            other_heads=[places.charging_heads],
            signing_key=signing,
            clock=clock,
        )

    def prove(self, say: Say) -> tuple[list[str], int]:
        """Verifies the audit trail and opens the newest card; what is wrong, and how many cards opened (0 or 1)."""
        report = self._audit.verify()
        say(f"audit trail: {report.rows:,} rows in {report.chains:,} chains, {report.heads:,} signed heads")
        faults = [
            f"audit trail, chain {found.chain_id}, row {found.sequence}: {found.problem}" for found in report.findings
        ]
        opened, refused, wrong = open_cards(self._database, self._transit, limit=1)
        say(f"cards: {opened} opened by the vault's own code" if opened else "cards: none opened")
        if refused:
            faults.append("the newest card of this backup does not open with the newest keys")
        return [*faults, *wrong], opened

    def destroy_old_keys(self) -> None:
        """Rotates, rewraps and trims on the copy, as `rotate-keys` and `rewrap --trim` do."""
        keys = KeyService(
            self._database,
            self._transit,
            audit=self._audit,
            clock=_AfterFlight(),
            columns=[*wrapped_columns(), sealing_column(), audit_column()],
            pause=lambda _seconds: None,
        )
        self._audit.prepare()
        keys.rotate([KeyName.CARD, KeyName.CVV], actor=_ACTOR)
        for _ in keys.rewrap(trim=True, actor=_ACTOR):
            pass

    def close(self) -> None:
        self._audit.close()
        self._database.dispose()


def open_cards(
    database: Database, transit: Transit, *, limit: int, below: int | None = None
) -> tuple[int, int, list[str]]:
    """Tries up to `limit` held cards, of key versions below `below`: how many open or not, and what is wrong."""
    opened, refused, faults = 0, 0, []
    with database.read() as session:
        cards = _held(session, limit, below)
    for token, agency, cipher, brand, last4 in cards:
        try:
            plain = transit.reveal.decrypt(KeyName.CARD, Cipher(cipher), card_context(KeyName.CARD, token, agency))
        except CipherRefused:
            refused += 1
            continue
        opened += 1
        if not _is_the_card(plain, brand, last4):
            faults.append(f"card {token}: what opened is not the card that its row names")
    return opened, refused, faults


def _held(session: Session, limit: int, below: int | None) -> Sequence[tuple[str, str, str, str, str]]:
    query = (
        select(CardRow.token, CardRow.agency_id, CardRow.cipher, CardRow.brand, CardRow.last4)
        .where(CardRow.cipher.is_not(None))
        .order_by(CardRow.stored_at.desc())
        .limit(limit)
    )
    if below is not None:
        query = query.where(CardRow.key_version < below)
    return [(row[0], row[1], row[2] or "", row[3], row[4]) for row in session.execute(query)]


def _is_the_card(plain: bytes, brand: str, last4: str) -> bool:
    try:
        content = json.loads(plain)
        return str(content["pan"])[-4:] == last4 and content["brand"] == brand
    except (ValueError, LookupError, TypeError):
        return False


def _keyring_of(places: Places) -> Transit:
    return open_transit(f"embedded:///{places.keyring}", clock=SystemClock())


def _restore_vault(store: Store, backup: str, places: Places, identities: Identities) -> None:
    """The vault's database of a backup, as it was, and nothing else."""
    source = next(source for source in data_sources(places) if source.name == "vault")
    store.restore(backup, [source], identities, _silent)


def _nothing_opens(backup: str, url: str, transit: Transit, say: Say, *, below: int | None = None) -> list[str]:
    database = open_database(url, name="vault-drill")
    try:
        opened, refused, _ = open_cards(database, transit, limit=_ALL, below=below)
    finally:
        database.dispose()
    say(f"cards of backup {backup} whose keys a trim destroyed: {opened} open, {refused} refused")
    return [f"{opened} card(s) of backup {backup} still open after a trim"] if opened else []


def _silent(_line: str) -> None:
    return None
