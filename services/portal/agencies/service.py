"""Use cases of agencies: learn how one looks, look it up, show its logo."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.db import Database
from protos.wayvault.events.v1.events_pb2 import AgencySaved
from services.portal.agencies.models import AgencyLogoRow, AgencyRow

__all__ = ["Agencies", "AgencyLook"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyLook:
    """`accent` is "#RRGGBB" or empty; `logo_sha256` is empty where there is no logo."""

    name: str
    accent: str
    logo_sha256: str


class Agencies:
    """The agencies room."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def learn(self, session: Session, message: AgencySaved) -> None:
        """Takes in how the agency looks from now on. What is told of one agency comes in order."""
        agency = message.agency
        session.merge(
            AgencyRow(
                agency_id=agency.id,
                name=agency.name,
                accent=agency.accent_colour,
                logo_sha256=message.logo_sha256 if message.logo else "",
            )
        )
        if message.logo:
            session.merge(AgencyLogoRow(agency_id=agency.id, sha256=message.logo_sha256, png=message.logo))
        elif (kept := session.get(AgencyLogoRow, agency.id)) is not None:
            session.delete(kept)

    def look(self, agency_id: str) -> AgencyLook | None:
        """How the agency looks today; None while the CRM has not told."""
        with self._database.read() as session:
            row = session.get(AgencyRow, agency_id)
            if row is None:
                return None
            return AgencyLook(name=row.name, accent=row.accent, logo_sha256=row.logo_sha256)

    def the_one_meant(self, wanted: str) -> str:
        """The agency of this id; of any other word, the only agency that there is. Empty where there are several."""
        with self._database.read() as session:
            if wanted and session.get(AgencyRow, wanted) is not None:
                return wanted
            known = session.scalars(select(AgencyRow.agency_id).limit(2)).all()
        return known[0] if len(known) == 1 else ""

    def logo(self, agency_id: str, sha256: str) -> bytes | None:
        """The PNG, if that is still the agency's logo."""
        with self._database.read() as session:
            row = session.get(AgencyLogoRow, agency_id)
            return row.png if row is not None and row.sha256 == sha256 else None
