"""All tables of the vault's database; importing this completes `orm.Base.metadata`."""

from chassis.rpc.idempotency import attach_idempotency
from services.vault.agents import models as agents
from services.vault.approvals import models as approvals
from services.vault.audit import models as audit
from services.vault.charging import models as charging
from services.vault.custody import models as custody
from services.vault.intake import models as intake
from services.vault.orm import Base
from services.vault.reveal import models as reveal
from services.vault.sealing_keys import models as sealing_keys

idempotency_table = attach_idempotency(Base.metadata)

__all__ = [
    "agents",
    "approvals",
    "audit",
    "charging",
    "custody",
    "idempotency_table",
    "intake",
    "reveal",
    "sealing_keys",
]
