"""Use cases of the handouts: an admin sets them, every agent reads them."""

import io
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import pikepdf
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound
from services.crm.core.actor import Actor
from services.crm.office.handouts.models import HandoutRow
from services.crm.trips.documents.rules import PDF
from services.crm.trips.documents.service import checked_file

_NO_SHEET = "Your agency has no Quick Sheet."
_NO_PDF = "The Quick Sheet is a PDF: save it as one first."


@dataclass(frozen=True, slots=True, kw_only=True)
class Handouts:
    """What the agents of an agency are handed; nothing where nobody set it."""

    community_url: str = ""
    has_sheet: bool = False
    changed_at: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.community_url) or self.has_sheet


class HandoutDesk:
    """The room's use cases."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def of(self, actor: Actor) -> Handouts:
        """What the actor's agency hands out."""
        with self._database.read() as session:
            row = session.get(HandoutRow, actor.agency_id)
            if row is None:
                return Handouts()
            return Handouts(
                community_url=row.community_url, has_sheet=bool(row.sheet_sha256), changed_at=row.changed_at
            )

    def sheet(self, actor: Actor) -> bytes:
        """The Quick Sheet, a PDF of one page. Raises NotFound."""
        with self._database.read() as session:
            row = session.get(HandoutRow, actor.agency_id)
            if row is None or not row.sheet_sha256:
                raise NotFound(_NO_SHEET)
            return row.sheet

    def change(self, actor: Actor, *, community_url: str, sheet: bytes) -> None:
        """Sets both; without `sheet` the one that is there stays. Raises PermissionDenied, and InvalidArgument (field
        "sheet") for a file that is no PDF of one page, or that must not be kept."""
        actor.demand_admin()
        if sheet:
            _check(sheet)
        with self._database.transaction() as session:
            row = self._row(session, actor)
            row.community_url = community_url
            if sheet:
                row.sheet, row.sheet_sha256 = sheet, sha256(sheet).hexdigest()
            row.changed_at = self._clock.now()

    def remove_sheet(self, actor: Actor) -> None:
        """Takes the Quick Sheet away. Doing so again changes nothing. Raises PermissionDenied."""
        actor.demand_admin()
        with self._database.transaction() as session:
            row = self._row(session, actor)
            row.sheet, row.sheet_sha256, row.changed_at = b"", "", self._clock.now()

    def _row(self, session: Session, actor: Actor) -> HandoutRow:
        row = session.get(HandoutRow, actor.agency_id, with_for_update=True)
        if row is None:
            row = HandoutRow(agency_id=actor.agency_id, community_url="", sheet=b"", sheet_sha256="")
            session.add(row)
        return row


def _check(content: bytes) -> None:
    if checked_file(content, "quick-sheet.pdf", field="sheet") != PDF:
        raise InvalidArgument(_NO_PDF, field="sheet")
    with pikepdf.open(io.BytesIO(content)) as pdf:
        pages = len(pdf.pages)
    if pages != 1:
        raise InvalidArgument(f"A Quick Sheet has one page, and this file has {pages}.", field="sheet")
