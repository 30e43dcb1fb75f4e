"""Use cases of trip documents: learn of one, list a client's, hand one out."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, delete, exists, or_, select
from sqlalchemy.orm import Session

from chassis.db import Database
from chassis.errors import NotFound
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import DocumentShared
from services.portal.documents.models import DocumentReaderRow, TripDocumentRow
from services.portal.documents.rules import size_words, type_words
from services.portal.merges.service import current_client_id
from services.portal.news import tell
from services.portal.trips.service import travelers_of, trips_shown_to

__all__ = ["DocumentFile", "TripDocument", "TripDocuments"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TripDocument:
    """A document, without its bytes."""

    id: str
    booking_id: str
    title: str
    file_name: str
    type_words: str
    size_words: str
    shared_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFile:
    """A document to be downloaded."""

    file_name: str
    content_type: str
    content: bytes


class TripDocuments:
    """The documents room. Methods with a `session` are parts of a caller's transaction."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def of_trip(self, client_id: str, booking_id: str) -> list[TripDocument]:
        """What the client may see of one trip, the newest first."""
        return self._list(_seen_by(client_id).where(TripDocumentRow.booking_id == booking_id))

    def of_client(self, client_id: str) -> list[TripDocument]:
        """What the client may see of all their trips, the newest first."""
        return self._list(_seen_by(client_id))

    def titles_for_everyone(self, booking_id: str) -> tuple[str, ...]:
        """What every traveler of a trip may see, by its titles, the oldest first."""
        query = (
            select(TripDocumentRow.title)
            .where(TripDocumentRow.booking_id == booking_id, TripDocumentRow.for_everyone.is_(True))
            .order_by(TripDocumentRow.shared_at, TripDocumentRow.document_id)
        )
        with self._database.read() as session:
            return tuple(session.scalars(query))

    def file(self, client_id: str, document_id: str) -> DocumentFile:
        """Raises NotFound for what the client may not see: no difference is told."""
        with self._database.read() as session:
            row = session.scalars(_seen_by(client_id).where(TripDocumentRow.document_id == document_id[:64])).first()
            if row is None:
                raise NotFound("There is no such document for you. Your agent may have taken it back.")
            return DocumentFile(file_name=row.file_name, content_type=row.content_type, content=row.content)

    def learn_shared(self, session: Session, message: DocumentShared, agency_id: str) -> None:
        """Takes a document in; told again (with other readers), the newest word holds."""
        row = session.get(TripDocumentRow, message.document_id)
        if row is None:
            row = TripDocumentRow(document_id=message.document_id)
            session.add(row)
        row.agency_id, row.booking_id = agency_id, message.booking_id
        row.title, row.file_name = message.title[:200], message.file_name[:200]
        row.content_type, row.content, row.size = message.content_type[:100], message.content, len(message.content)
        row.for_everyone, row.shared_at = message.for_everyone, moment_of(message.shared_at)
        session.flush()
        session.execute(delete(DocumentReaderRow).where(DocumentReaderRow.document_id == row.document_id))
        for client_id in dict.fromkeys(current_client_id(session, each) for each in message.client_ids):
            session.add(DocumentReaderRow(document_id=row.document_id, client_id=client_id))
        tell(session, travelers_of(session, message.booking_id))

    def learn_withdrawn(self, session: Session, document_id: str) -> None:
        """Forgets a document, bytes and all."""
        for booking_id in session.scalars(
            select(TripDocumentRow.booking_id).where(TripDocumentRow.document_id == document_id)
        ).all():
            tell(session, [booking_id, *travelers_of(session, booking_id)])
        session.execute(delete(DocumentReaderRow).where(DocumentReaderRow.document_id == document_id))
        session.execute(delete(TripDocumentRow).where(TripDocumentRow.document_id == document_id))

    def _list(self, query: Select[TripDocumentRow]) -> list[TripDocument]:
        with self._database.read() as session:
            rows = session.scalars(query.order_by(TripDocumentRow.shared_at.desc(), TripDocumentRow.document_id))
            return [
                TripDocument(
                    id=row.document_id,
                    booking_id=row.booking_id,
                    title=row.title,
                    file_name=row.file_name,
                    type_words=type_words(row.content_type),
                    size_words=size_words(row.size),
                    shared_at=row.shared_at,
                )
                for row in rows
            ]


def _seen_by(client_id: str) -> Select[TripDocumentRow]:
    """Who may see a document: a traveler of the trip, while the trip is shown, and if it is for them.

    A reader who was taken off the booking sees nothing of it any more.
    """
    for_her = exists().where(
        and_(DocumentReaderRow.document_id == TripDocumentRow.document_id, DocumentReaderRow.client_id == client_id)
    )
    return select(TripDocumentRow).where(
        TripDocumentRow.booking_id.in_(trips_shown_to(client_id)),
        or_(TripDocumentRow.for_everyone.is_(True), for_her),
    )
