"""The retention report (docs/product.md O10; PCI DSS 3.2.1): what is kept, until when, and whether anything is late."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chassis.clock import Clock
from chassis.db import Database
from chassis.telemetry import Gauge
from services.vault.custody.service import Kept, kept_cards, kept_cvvs

# The sweep runs each minute; what is this long past its time, the worker has not seen to.
GRACE: Final = timedelta(minutes=5)

_HELD = Gauge("wayvault_card_data_held", "Cards and CVVs that can still be opened", ["kind"])
_OVERDUE = Gauge("wayvault_card_data_overdue", "Of them, past their time by more than five minutes", ["kind"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What stands in the vault at `at`."""

    at: datetime
    cards: Kept
    cvvs: Kept

    @property
    def overdue(self) -> int:
        """How many cards and CVVs should be gone and are not; 0 when all is well."""
        return self.cards.overdue + self.cvvs.overdue

    def lines(self) -> Iterator[str]:
        """For an operator to read."""
        yield f"Retention at {_moment(self.at)}"
        for name, kept in (("cards", self.cards), ("CVVs", self.cvvs)):
            first = f"the first goes at {_moment(kept.next_until)}" if kept.next_until else "none waits to go"
            yield f"{name:6} {kept.held:8,} held; {first}; {kept.overdue:,} overdue"
        if self.overdue:
            yield "Next: is the vault's worker running (make status)? `purge` removes at once what is past its time."
        else:
            yield "Nothing is overdue."


def make_report(database: Database, clock: Clock) -> Report:
    """Reads the report, and shows its figures as metrics. Raises what the database raises."""
    now = clock.now()
    late = now - GRACE
    with database.read() as session:
        report = Report(at=now, cards=kept_cards(session, late), cvvs=kept_cvvs(session, late))
    for kind, kept in (("card", report.cards), ("cvv", report.cvvs)):
        _HELD.labels(kind).set(kept.held)
        _OVERDUE.labels(kind).set(kept.overdue)
    return report


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
