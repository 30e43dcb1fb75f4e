"""The vault's trail as the CRM's audit viewer meets it, in memory."""

from dataclasses import dataclass, field

from chassis.errors import WayvaultError
from services.crm.office.audit.port import TrailPage, TrailRow, Wanted


@dataclass
class FakeTrail:
    """TrailPort over rows that a test puts in, newest first. Pages by counting; `down` is raised instead."""

    rows: dict[str, list[TrailRow]] = field(default_factory=dict)
    asked: list[Wanted] = field(default_factory=list)
    chains_broken: int = 0
    down: WayvaultError | None = None

    def page(self, agency_id: str, wanted: Wanted, *, limit: int, after: str) -> TrailPage:
        if self.down is not None:
            raise self.down
        self.asked.append(wanted)
        found = [row for row in self.rows.get(agency_id, []) if _fits(row, wanted)]
        start = int(after or "0")
        rest = found[start:]
        more = len(rest) > limit
        return TrailPage(
            rows=tuple(rest[:limit]),
            next=str(start + limit) if more else "",
            chains=1,
            chains_broken=self.chains_broken,
        )


def _fits(row: TrailRow, wanted: Wanted) -> bool:
    entry = row.entry
    return (
        (not wanted.agent_id or entry.actor == wanted.agent_id)
        and (not wanted.payment_id or row.payment_id == wanted.payment_id)
        and entry.action.startswith(wanted.action)
        and not (wanted.refused_only and entry.ok)
        and (wanted.since is None or entry.at >= wanted.since)
        and (wanted.until is None or entry.at < wanted.until)
    )
