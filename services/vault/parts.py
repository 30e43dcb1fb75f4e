"""What the vault is made of, typed."""

from dataclasses import dataclass
from datetime import timedelta

from chassis.clock import Clock
from chassis.db import Database
from chassis.rpc.idempotency import Idempotency
from chassis.sealing import LetterSealer
from services.vault.agents.service import AgentRegister
from services.vault.approvals.service import SecondRevealService
from services.vault.audit.service import Audit
from services.vault.audit_reader.service import AuditReading
from services.vault.custody.service import CustodyService
from services.vault.intake.service import IntakeService
from services.vault.keys.service import KeyService
from services.vault.retention.service import Sweep
from services.vault.reveal.approving import Approving
from services.vault.reveal.codes import Codes
from services.vault.reveal.service import RevealService
from services.vault.sealing_keys.service import SealingKeys
from services.vault.transit.service import Transit


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What every room stands on."""

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
class Dependencies:
    """Everything that the vault's faces (gRPC, worker, commands) use."""

    core: Core
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

    def close(self) -> None:
        """Signs the audit heads and closes the database."""
        self.core.audit.close()
        self.core.database.dispose()
