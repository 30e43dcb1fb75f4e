"""The vault's composition root: the one place where its parts are made and joined.

Tests call `join_rooms` over a core of fakes. Nothing is built at import. The programs `charging` and `phone` have
composition roots of their own: they share nothing with the vault's but the audit trail and the engine's interface.
"""

import threading

from chassis.clock import SystemClock
from chassis.db import open_database
from chassis.db.durability import demand_durable
from chassis.rpc.idempotency import Idempotency
from chassis.sealing import LetterWriter, OpeningKey, seal_to
from services.vault.agents.service import AgentRegister
from services.vault.approvals.service import SecondRevealService
from services.vault.audit.service import Audit
from services.vault.audit.service import wrapped_column as audit_column
from services.vault.audit_reader.service import AuditReading
from services.vault.charging.accounts import wrapped_column as gateway_column
from services.vault.config import VaultSettings
from services.vault.custody.service import CustodyService, wrapped_columns
from services.vault.intake.service import IntakeService
from services.vault.keys.service import KeyService
from services.vault.models import idempotency_table
from services.vault.parts import Core, Dependencies, Limits
from services.vault.retention.service import Sweep
from services.vault.reveal.approving import Approving
from services.vault.reveal.challenges import Challenges
from services.vault.reveal.codes import Codes
from services.vault.reveal.redeem import Redeemer
from services.vault.reveal.service import RevealService, forget_card
from services.vault.sealing_keys.service import Lifetime, SealingKeys
from services.vault.sealing_keys.service import wrapped_column as sealing_column
from services.vault.transit.service import open_transit


def bootstrap(settings: VaultSettings, *, stop: threading.Event | None = None) -> Dependencies:
    """The vault as the settings describe it. Raises SealError, ValueError or SettingsError when they can't be used."""
    clock = SystemClock()
    database = open_database(settings.database_url, name="vault", pool_size=settings.workers)
    demand_durable(database)
    transit = open_transit(
        settings.transit_url,
        clock=clock,
        auth_dir=settings.transit_auth_dir,
        mount=settings.transit_mount,
        ca=settings.transit_ca,
    )
    signing_key = OpeningKey(settings.letter_signing_key.read_bytes())
    audit = Audit(
        database,
        transit.sealing,
        heads_file=settings.audit_heads,
        other_heads=[settings.charging_heads],
        signing_key=signing_key,
        clock=clock,
    )
    core = Core(
        database=database,
        clock=clock,
        transit=transit,
        audit=audit,
        letters=LetterWriter(settings.letter_signing_key, "vault", settings.notifier_letter_key),
        codes=Codes(settings.require_secret_key()),
    )
    limits = Limits(
        intake_ttl=settings.intake_ttl,
        code_ttl=settings.code_ttl,
        cvv_link_ttl=settings.cvv_link_ttl,
        answer_ttl=settings.answer_ttl,
        sealing_key_ttl=settings.sealing_key_ttl,
        sealing_key_grace=settings.sealing_key_grace,
    )
    return join_rooms(core, limits, cvv_link_url=settings.cvv_link_url, stop=stop or threading.Event())


def join_rooms(core: Core, limits: Limits, *, cvv_link_url: str, stop: threading.Event) -> Dependencies:
    """Wires the rooms. `stop` ends waits when the process is told to stop."""
    database, clock, trail = core.database, core.clock, core.audit
    idempotency = Idempotency(database, idempotency_table, clock)
    sealing_keys = SealingKeys(
        database,
        core.transit.sealing,
        audit=trail,
        clock=clock,
        lifetime=Lifetime(ttl=limits.sealing_key_ttl, grace=limits.sealing_key_grace),
    )
    reveal, approving = _reveals(core, limits, idempotency, sealing_keys, cvv_link_url=cvv_link_url)
    return Dependencies(
        core=core,
        intake=IntakeService(
            database=database,
            clock=clock,
            idempotency=idempotency,
            trail=trail,
            seals=sealing_keys,
            transit=core.transit.intake,
            intake_ttl=limits.intake_ttl,
            forget=forget_card,
        ),
        reveal=reveal,
        seconds=SecondRevealService(database=database, clock=clock, idempotency=idempotency, trail=trail),
        approving=approving,
        custody=CustodyService(
            database=database, clock=clock, idempotency=idempotency, trail=trail, forget=forget_card
        ),
        reading=AuditReading(database=database, trail=trail),
        sweep=Sweep(database=database, clock=clock, trail=trail, idempotency=idempotency, sealing_keys=sealing_keys),
        keys=_keys(core, stop),
        sealing_keys=sealing_keys,
        agents=AgentRegister(trail, clock=clock),
        idempotency=idempotency,
    )


def _keys(core: Core, stop: threading.Event) -> KeyService:
    return KeyService(
        core.database,
        core.transit,
        audit=core.audit,
        clock=core.clock,
        columns=[*wrapped_columns(), sealing_column(), audit_column(), gateway_column()],
        pause=stop.wait,
    )


def _reveals(
    core: Core, limits: Limits, idempotency: Idempotency, sealing_keys: SealingKeys, *, cvv_link_url: str
) -> tuple[RevealService, Approving]:
    """What shows a card, and what lets an admin approve that it is shown again: they share codes and their tries."""
    database, clock, trail = core.database, core.clock, core.audit
    challenges = Challenges(
        database=database,
        clock=clock,
        trail=trail,
        letters=core.letters,
        codes=core.codes,
        code_ttl=limits.code_ttl,
    )
    redeemer = Redeemer(
        database=database, clock=clock, transit=core.transit.reveal, seal=seal_to, answer_ttl=limits.answer_ttl
    )
    reveal = RevealService(
        database=database,
        clock=clock,
        idempotency=idempotency,
        trail=trail,
        seals=sealing_keys,
        challenges=challenges,
        redeemer=redeemer,
        letters=core.letters,
        cvv_link_url=cvv_link_url,
        cvv_link_ttl=limits.cvv_link_ttl,
        answer_ttl=limits.answer_ttl,
    )
    approving = Approving(
        database=database,
        clock=clock,
        idempotency=idempotency,
        trail=trail,
        seals=sealing_keys,
        challenges=challenges,
        answer_ttl=limits.answer_ttl,
    )
    return reveal, approving
