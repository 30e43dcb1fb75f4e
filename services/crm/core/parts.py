"""What every street stands on, for pages (chassis/web/parts.py). Each street has a holder like it."""

from dataclasses import dataclass

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.web.parts import held
from chassis.web.sessions import ServerSessions
from services.crm.config import CrmSettings
from services.crm.core.waiting import Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What every street stands on."""

    settings: CrmSettings
    clock: Clock
    database: Database
    outbox: Outbox
    sessions: ServerSessions
    waiting: Waiting


def core() -> Core:
    return held(Core)
