"""The composition of the office's rooms: help, support, e-mails that failed, and the audit viewer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.rpc import TlsFiles, open_channel
from services.crm.access.agency.service import Directory
from services.crm.office.audit.service import AuditViewer, TrailPort
from services.crm.office.audit.vault_grpc import GrpcTrail
from services.crm.office.mail_outcomes.service import Undelivered
from services.crm.office.support.service import Support
from services.crm.office.training.service import Guides

if TYPE_CHECKING:
    from services.crm.config import CrmSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The office's use cases."""

    support: Support
    guides: Guides
    undelivered: Undelivered
    audit: AuditViewer


def open_trail(settings: "CrmSettings") -> TrailPort:
    """The vault's trail over mTLS; nothing is opened before the first call."""
    tls = TlsFiles(ca=settings.tls_ca, cert=settings.tls_cert, key=settings.tls_key)
    return GrpcTrail(open_channel(settings.vault_address, tls, settings.vault_server_name))


def make_office(*, database: Database, outbox: Outbox, clock: Clock, directory: Directory, trail: TrailPort) -> Office:
    """The office's rooms, joined."""
    return Office(
        support=Support(database=database, outbox=outbox, clock=clock, directory=directory),
        guides=Guides(),
        undelivered=Undelivered(database=database, clock=clock, directory=directory),
        audit=AuditViewer(database=database, clock=clock, directory=directory, trail=trail),
    )
