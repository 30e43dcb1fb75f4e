"""The vault, put together. Tests call `build` with fakes; `__main__` calls `open_vault` with the settings."""

import threading
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from chassis.clock import Clock, SystemClock
from chassis.db import Database, open_database
from chassis.rpc import RpcServer, TlsFiles, make_server
from chassis.rpc.idempotency import Idempotency
from chassis.rpc.server import Service
from chassis.sealing import LetterSealer, LetterWriter, OpeningKey, seal_to
from protos.wayvault.vault.v1 import vault_pb2_grpc
from services.vault.admin.rpc import AdminServices, VaultAdminRpc
from services.vault.agents.rpc import AgentRegisterRpc
from services.vault.agents.service import AgentRegister
from services.vault.approvals.rpc import SecondRevealRpc
from services.vault.approvals.service import SecondRevealService
from services.vault.audit.service import Audit, AuditEntry
from services.vault.audit.service import wrapped_column as audit_column
from services.vault.audit_reader.rpc import AuditReaderRpc
from services.vault.audit_reader.service import AuditReading
from services.vault.authz import ALLOW
from services.vault.charging.accounts import wrapped_column as gateway_column
from services.vault.config import VaultSettings
from services.vault.custody.rpc import CardCustodyRpc
from services.vault.custody.service import CustodyService, wrapped_columns
from services.vault.intake.rpc import CardIntakeRpc
from services.vault.intake.service import IntakeService
from services.vault.keys.service import KeyService
from services.vault.models import idempotency_table
from services.vault.phone_trail.rpc import PhoneTrailRpc
from services.vault.retention.service import Sweep
from services.vault.reveal.approving import Approving
from services.vault.reveal.challenges import Challenges
from services.vault.reveal.codes import Codes
from services.vault.reveal.redeem import Redeemer
from services.vault.reveal.rpc import CardRevealRpc
from services.vault.reveal.service import RevealService, forget_card
from services.vault.sealing_keys.rpc import CardFrameRpc
from services.vault.sealing_keys.service import Lifetime, SealingKeys
from services.vault.sealing_keys.service import wrapped_column as sealing_column
from services.vault.transit.service import Transit, open_transit


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """What the vault stands on."""

    database: Database
    clock: Clock
    transit: Transit
    audit: Audit
    letters: LetterSealer
    codes: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long things live."""

    intake_ttl: timedelta = timedelta(minutes=60)
    code_ttl: timedelta = timedelta(minutes=5)
    cvv_link_ttl: timedelta = timedelta(minutes=10)
    answer_ttl: timedelta = timedelta(seconds=120)
    sealing_key_ttl: timedelta = timedelta(days=1)
    sealing_key_grace: timedelta = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """The rooms, wired."""

    on: Dependencies
    intake: IntakeService
    reveal: RevealService
    seconds: SecondRevealService
    approving: Approving
    custody: CustodyService
    reading: AuditReading
    sweep: Sweep
    keys: KeyService
    sealing_keys: SealingKeys
    agents: AgentRegister
    idempotency: Idempotency

    def services(self) -> list[Service]:
        """The faces, for `make_server`."""
        admin = AdminServices(
            agents=self.agents,
            keys=self.keys,
            sealing_keys=self.sealing_keys,
            audit=self.on.audit,
            purge=self.sweep.run,
            idempotency=self.idempotency,
        )
        return [
            (vault_pb2_grpc.add_CardIntakeServicer_to_server, CardIntakeRpc(self.intake)),
            (vault_pb2_grpc.add_CardRevealServicer_to_server, CardRevealRpc(self.reveal)),
            (vault_pb2_grpc.add_SecondRevealServicer_to_server, SecondRevealRpc(self.seconds, self.approving)),
            (vault_pb2_grpc.add_CardCustodyServicer_to_server, CardCustodyRpc(self.custody)),
            (vault_pb2_grpc.add_AuditReaderServicer_to_server, AuditReaderRpc(self.reading)),
            (vault_pb2_grpc.add_AgentRegisterServicer_to_server, AgentRegisterRpc(self.on.database)),
            (vault_pb2_grpc.add_VaultAdminServicer_to_server, VaultAdminRpc(admin)),
            (vault_pb2_grpc.add_CardFrameServicer_to_server, CardFrameRpc(self.sealing_keys)),
            (
                vault_pb2_grpc.add_PhoneTrailServicer_to_server,
                PhoneTrailRpc(self.on.database, self.on.audit, self.idempotency),
            ),
        ]

    def close(self) -> None:
        """Signs the audit heads and closes the database."""
        self.on.audit.close()
        self.on.database.dispose()


def build(on: Dependencies, limits: Limits, *, cvv_link_url: str, stop: threading.Event) -> Vault:
    """Wires the rooms. `stop` ends waits when the process is told to stop."""
    idempotency = Idempotency(on.database, idempotency_table, on.clock)
    sealing_keys = SealingKeys(
        on.database,
        on.transit.sealing,
        audit=on.audit,
        clock=on.clock,
        lifetime=Lifetime(ttl=limits.sealing_key_ttl, grace=limits.sealing_key_grace),
    )
    intake = IntakeService(
        database=on.database,
        clock=on.clock,
        idempotency=idempotency,
        trail=on.audit,
        seals=sealing_keys,
        transit=on.transit.intake,
        intake_ttl=limits.intake_ttl,
        forget=forget_card,
    )
    custody = CustodyService(
        database=on.database, clock=on.clock, idempotency=idempotency, trail=on.audit, forget=forget_card
    )
    keys = KeyService(
        on.database,
        on.transit,
        audit=on.audit,
        clock=on.clock,
        columns=[*wrapped_columns(), sealing_column(), audit_column(), gateway_column()],
        pause=stop.wait,
    )
    challenges = Challenges(
        database=on.database,
        clock=on.clock,
        trail=on.audit,
        letters=on.letters,
        codes=on.codes,
        code_ttl=limits.code_ttl,
    )
    return Vault(
        on=on,
        intake=intake,
        reveal=_reveal(on, limits, idempotency, sealing_keys, challenges=challenges, cvv_link_url=cvv_link_url),
        seconds=SecondRevealService(database=on.database, clock=on.clock, idempotency=idempotency, trail=on.audit),
        approving=Approving(
            database=on.database,
            clock=on.clock,
            idempotency=idempotency,
            trail=on.audit,
            seals=sealing_keys,
            challenges=challenges,
            answer_ttl=limits.answer_ttl,
        ),
        custody=custody,
        reading=AuditReading(database=on.database, trail=on.audit),
        sweep=Sweep(
            database=on.database, clock=on.clock, trail=on.audit, idempotency=idempotency, sealing_keys=sealing_keys
        ),
        keys=keys,
        sealing_keys=sealing_keys,
        agents=AgentRegister(on.audit, clock=on.clock),
        idempotency=idempotency,
    )


def _reveal(
    on: Dependencies,
    limits: Limits,
    idempotency: Idempotency,
    sealing_keys: SealingKeys,
    *,
    challenges: Challenges,
    cvv_link_url: str,
) -> RevealService:
    redeemer = Redeemer(
        database=on.database,
        clock=on.clock,
        transit=on.transit.reveal,
        seal=seal_to,
        answer_ttl=limits.answer_ttl,
    )
    return RevealService(
        database=on.database,
        clock=on.clock,
        idempotency=idempotency,
        trail=on.audit,
        seals=sealing_keys,
        challenges=challenges,
        redeemer=redeemer,
        letters=on.letters,
        cvv_link_url=cvv_link_url,
        cvv_link_ttl=limits.cvv_link_ttl,
        answer_ttl=limits.answer_ttl,
    )


def open_vault(settings: VaultSettings, *, stop: threading.Event | None = None) -> Vault:
    """The vault as the settings describe it. Raises SealError, ValueError or SettingsError when they can't be used."""
    clock = SystemClock()
    database = open_database(settings.database_url, name="vault", pool_size=settings.workers)
    transit = open_transit(
        settings.transit_url,
        clock=clock,
        auth_dir=settings.transit_auth_dir,
        mount=settings.transit_mount,
        ca=settings.transit_ca,
    )
    signing_key = OpeningKey(settings.letter_signing_key.read_bytes())
    audit = Audit(database, transit.sealing, heads_file=settings.audit_heads, signing_key=signing_key, clock=clock)
    on = Dependencies(
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
    return build(on, limits, cvv_link_url=settings.cvv_link_url, stop=stop or threading.Event())


def open_server(vault: Vault, address: str, tls: TlsFiles, *, workers: int) -> RpcServer:
    """The vault's gRPC server. Raises AllowListError when the table and the services do not match."""

    def on_denied(method: str, identity: str) -> None:
        entry = AuditEntry(
            action="call.denied", result="refused", actor=identity, resource=method, reason="PERMISSION_DENIED"
        )
        with vault.on.database.transaction() as session:
            vault.on.audit.record(session, entry)

    def ready() -> bool:
        vault.on.transit.health.check()
        with vault.on.database.read() as session:
            session.execute(select(1))
        return True

    return make_server(address, tls, ALLOW, vault.services(), max_workers=workers, on_denied=on_denied, ready=ready)
