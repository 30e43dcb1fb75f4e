"""What the notifier is made of, typed."""

import threading
from dataclasses import dataclass

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.sealing import LetterReader
from services.notifier.agencies.service import Looks
from services.notifier.config import NotifierSettings
from services.notifier.deliveries.leases import Leases
from services.notifier.deliveries.sender import Sender
from services.notifier.deliveries.service import Deliveries
from services.notifier.reminders.service import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What every room stands on. `letters` opens what other services sealed; `wake` is set when mail is to leave."""

    settings: NotifierSettings
    clock: Clock
    database: Database
    outbox: Outbox
    letters: LetterReader
    wake: threading.Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Everything that the notifier's faces (worker, commands) use."""

    core: Core
    looks: Looks
    deliveries: Deliveries
    leases: Leases
    senders: tuple[Sender, ...]
    reminders: Schedule
