"""Charging, put together: its own database role, its own identity at the transit engine, its own certificate."""

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.clock import Clock, SystemClock
from chassis.db import Database, open_database
from chassis.db.durability import demand_durable
from chassis.health import Readiness
from chassis.rpc import RpcServer, TlsFiles, make_server
from chassis.sealing import OpeningKey
from protos.wayvault.vault.v1 import charging_pb2_grpc
from services.vault.audit.service import Audit, AuditEntry
from services.vault.charging.accounts import Accounts, Opener, openers
from services.vault.charging.authz import ALLOW
from services.vault.charging.gateways.port import GatewaySettings
from services.vault.charging.key_entries import KeyEntries, SealOpener
from services.vault.charging.ledger import LedgerService
from services.vault.charging.mandates import MandateService
from services.vault.charging.notices import Notices
from services.vault.charging.refunds import RefundService
from services.vault.charging.rpc import ChargingRpc
from services.vault.charging.service import ChargeService
from services.vault.charging.settling import Settling
from services.vault.config import VaultSettings
from services.vault.sealing_keys.service import Lifetime, SealingKeys
from services.vault.transit.service import ChargingTransit, open_charging_transit


@dataclass(frozen=True, slots=True, kw_only=True)
class Charging:
    """The program, wired."""

    database: Database
    transit: ChargingTransit
    audit: Audit
    clock: Clock
    rpc: ChargingRpc
    settling: Settling

    def readiness(self) -> Readiness:
        """What charging needs to do its work, as /readyz asks for it."""
        return Readiness(
            {
                "database": self.database.answers,
                "durability": lambda: demand_durable(self.database),
                "transit": self.transit.health.check,
            }
        )

    def close(self) -> None:
        """Signs the audit heads and closes the database."""
        self.audit.close()
        self.database.dispose()


def join_rooms(
    database: Database,
    transit: ChargingTransit,
    *,
    audit: Audit,
    clock: Clock,
    gateways: Mapping[str, Opener],
    seals: SealOpener,
) -> Charging:
    """Wires the rooms. `seals` opens what admins enter in the secure frame."""
    accounts = Accounts(transit.seals, dict(gateways))
    charges = ChargeService(database=database, clock=clock, trail=audit, transit=transit.cards, accounts=accounts)
    refunds = RefundService(database=database, clock=clock, trail=audit, accounts=accounts)
    settling = Settling(database=database, clock=clock, trail=audit, accounts=accounts, refunds=refunds)
    notices = Notices(database=database, clock=clock, accounts=accounts, settling=settling, refunds=refunds)
    rpc = ChargingRpc(
        database=database,
        keys=KeyEntries(database=database, clock=clock, trail=audit, accounts=accounts, seals=seals),
        charges=charges,
        refunds=refunds,
        mandates=MandateService(database=database, clock=clock, trail=audit, accounts=accounts),
        notices=notices,
        ledger=LedgerService(database=database, accounts=accounts),
    )
    return Charging(database=database, transit=transit, audit=audit, clock=clock, rpc=rpc, settling=settling)


def bootstrap(settings: VaultSettings) -> Charging:
    """Charging as the settings describe it. Raises SealError, ValueError or SettingsError."""
    clock = SystemClock()
    database = open_database(
        settings.charging_database_url or settings.database_url, name="charging", pool_size=settings.workers
    )
    demand_durable(database)
    transit = open_charging_transit(
        settings.transit_url,
        clock=clock,
        auth_dir=settings.transit_auth_dir,
        mount=settings.transit_mount,
        ca=settings.transit_ca,
    )
    audit = Audit(
        database,
        transit.seals,
        heads_file=settings.audit_heads,
        signing_key=OpeningKey(settings.letter_signing_key.read_bytes()),
        clock=clock,
    )
    gateways = GatewaySettings(
        stripe_url=settings.stripe_url,
        authorizenet_url=settings.authorizenet_url,
        authorizenet_test_url=settings.authorizenet_test_url,
        hosts=settings.gateway_hosts,
        return_url=settings.charging_return_url,
    )
    seals = SealingKeys(
        database,
        transit.seals,
        audit=audit,
        clock=clock,
        lifetime=Lifetime(ttl=settings.sealing_key_ttl, grace=settings.sealing_key_grace),
    )
    return join_rooms(database, transit, audit=audit, clock=clock, gateways=openers(gateways), seals=seals)


def open_server(charging: Charging, address: str, tls: TlsFiles, *, workers: int) -> RpcServer:
    """Charging's gRPC server. Raises AllowListError when the table and the service do not match."""

    def on_denied(method: str, identity: str) -> None:
        entry = AuditEntry(
            action="call.denied", result="refused", actor=identity, resource=method, reason="PERMISSION_DENIED"
        )
        with charging.database.transaction() as session:
            charging.audit.record(session, entry)

    def ready() -> bool:
        charging.transit.health.check()
        charging.database.answers()
        return True

    services = [(charging_pb2_grpc.add_ChargingServicer_to_server, charging.rpc)]
    return make_server(address, tls, ALLOW, services, max_workers=workers, on_denied=on_denied, ready=ready)
