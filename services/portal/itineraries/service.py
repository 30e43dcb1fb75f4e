"""Use cases of shared itineraries: learn of a link, open it, show the trip."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hmac import compare_digest

from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.ids import token_sha256
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import ItineraryShared
from services.portal.agents.service import Agents, AgentView
from services.portal.documents.service import TripDocuments
from services.portal.itineraries.models import ItineraryLinkRow
from services.portal.trips.service import Trips, TripView


class LinkStatus(StrEnum):
    """What a link is good for at the moment."""

    OPEN = "open"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItineraryLink:
    """A link as it stands now."""

    share_id: str
    booking_id: str
    with_prices: bool
    expires_at: datetime
    status: LinkStatus
    agent: AgentView


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTrip:
    """What an open link shows: the trip as it is today, and the titles of the documents for every traveler."""

    link: ItineraryLink
    view: TripView
    documents: tuple[str, ...]


class Itineraries:
    """The itineraries room. Methods with a `session` are parts of a caller's transaction."""

    def __init__(
        self, *, database: Database, clock: Clock, agents: Agents, trips: Trips, documents: TripDocuments
    ) -> None:
        self._database = database
        self._clock = clock
        self._agents = agents
        self._trips = trips
        self._documents = documents

    def find(self, share_id: str) -> ItineraryLink | None:
        """The link by its id; None for one that never was."""
        with self._database.read() as session:
            row = session.get(ItineraryLinkRow, share_id[:64])
            agent = self._agents.load(session, row.agent_id) if row is not None else None
            return None if row is None or agent is None else self._link(row, agent)

    def is_token(self, share_id: str, token: str) -> bool:
        """Whether the token is the link's own. Nothing is told of how near it came."""
        given = token_sha256(token)
        with self._database.read() as session:
            row = session.get(ItineraryLinkRow, share_id[:64])
            return row is not None and compare_digest(given, row.token_sha256)

    def trip(self, link: ItineraryLink) -> SharedTrip | None:
        """What the link shows; None once it is closed, or before the trip itself has arrived here."""
        if link.status is not LinkStatus.OPEN:
            return None
        view = self._trips.told(link.booking_id)
        if view is None:
            return None
        return SharedTrip(link=link, view=view, documents=self._documents.titles_for_everyone(link.booking_id))

    def learn_shared(self, session: Session, message: ItineraryShared, agency_id: str) -> None:
        """Takes a link in. Told twice, it is the same link."""
        self._agents.learn_if_new(session, message.agent, message.agency)
        if session.get(ItineraryLinkRow, message.share_id) is not None:
            return
        row = ItineraryLinkRow(
            share_id=message.share_id,
            booking_id=message.booking_id,
            agency_id=agency_id,
            agent_id=message.agent.id,
            token_sha256=message.token_sha256,
            with_prices=message.with_prices,
            expires_at=moment_of(message.expires_at),
            revoked=False,
        )
        session.add(row)

    def learn_unshared(self, session: Session, share_id: str) -> None:
        """Closes a link for good."""
        row = session.get(ItineraryLinkRow, share_id)
        if row is not None:
            row.revoked = True

    def _link(self, row: ItineraryLinkRow, agent: AgentView) -> ItineraryLink:
        status = LinkStatus.REVOKED if row.revoked else LinkStatus.OPEN
        if status is LinkStatus.OPEN and row.expires_at <= self._clock.now():
            status = LinkStatus.EXPIRED
        return ItineraryLink(
            share_id=row.share_id,
            booking_id=row.booking_id,
            with_prices=row.with_prices,
            expires_at=row.expires_at,
            status=status,
            agent=agent,
        )
