"""The trail of one agency: rows about its cards and by its people."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import Session

from chassis.db import Database
from services.vault.agents.service import ids_of_agency
from services.vault.audit.service import Audit, ChainsState, TrailPage, rows_where
from services.vault.custody.service import payments_of_cards, tokens_of_agency

__all__ = ["AgencyTrail", "AuditReading", "Wanted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which of an agency's rows; empty and None = all. `action` is an action's beginning; `until` is exclusive."""

    agency_id: str
    agent_id: str = ""
    payment_id: str = ""
    action: str = ""
    refused_only: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyTrail:
    """A page, the payments of its cards by token, and the state of the chains. A token of another agency's card has no
    payment here."""

    page: TrailPage
    payments: dict[str, str]
    chains: ChainsState


class AuditReading:
    """The room's one use case. Reads only."""

    def __init__(self, *, database: Database, trail: Audit) -> None:
        self._database = database
        self._trail = trail

    def page(self, wanted: Wanted, *, limit: int, after: str) -> AgencyTrail:
        """A page, newest first. Raises InvalidArgument for a strange `after`."""
        self._trail.prepare()
        with self._database.read() as session:
            page = self._trail.page(session, _conditions(wanted), limit=limit, after=after)
            tokens = {row.record.entry.card_token for row in page.rows} - {None}
            return AgencyTrail(
                page=page,
                payments=payments_of_cards(session, wanted.agency_id, {token for token in tokens if token}),
                chains=self._chains(session),
            )

    def _chains(self, session: Session) -> ChainsState:
        return self._trail.chains_state(session)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    about_cards = rows_where(card_token_in=tokens_of_agency(wanted.agency_id, wanted.payment_id))
    conditions = [about_cards]
    if not wanted.payment_id:
        conditions = [or_(about_cards, rows_where(agent_id_in=ids_of_agency(wanted.agency_id)))]
    conditions.append(
        rows_where(
            agent_id=wanted.agent_id,
            action=wanted.action,
            refused_only=wanted.refused_only,
            since=wanted.since,
            until=wanted.until,
        )
    )
    return conditions
