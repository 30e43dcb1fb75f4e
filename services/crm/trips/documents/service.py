"""Use cases of booking documents: share, hand out, take back."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id
from protos.wayvault.events.v1.events_pb2 import Client
from services.crm.core.actor import Actor
from services.crm.core.visibility import visible_to
from services.crm.trips.bookings.service import BookingDetail, Bookings, Passenger, ids_of_client, passenger_snapshot
from services.crm.trips.documents.events import document_shared, document_withdrawn
from services.crm.trips.documents.models import BookingDocumentRow, DocumentReaderRow
from services.crm.trips.documents.rules import (
    MAX_BYTES,
    MAX_PER_BOOKING,
    FileRefused,
    FileType,
    clean_name,
    file_type,
    size_words,
    words_of,
)
from services.crm.trips.documents.screening import screen

__all__ = ["MAX_BYTES", "Document", "DocumentFile", "Documents", "Upload"]

_LISTED = 100
_WITH_READERS = select(BookingDocumentRow).options(joinedload(BookingDocumentRow.readers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as an agent shares it. Without `reader_ids` every passenger may see it. `request_key` is made with the
    form, so that the form sent twice shares one file; `tell` = an e-mail says that it is there."""

    request_key: str
    file_name: str
    content: bytes
    title: str
    reader_ids: tuple[str, ...] = ()
    tell: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as pages see one, without its bytes."""

    id: str
    booking_id: str
    title: str
    file_name: str
    type_words: str
    size_words: str
    for_everyone: bool
    reader_ids: tuple[str, ...]
    shared_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFile:
    """A document to be downloaded."""

    file_name: str
    content_type: str
    content: bytes


class Documents:
    """The documents room's use cases."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        bookings: Bookings,
        who_signs_in: Callable[[Session, Collection[str]], set[str]],
    ) -> None:
        """`who_signs_in` says which of these clients can open the portal: only they are told."""
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._bookings = bookings
        self._who_signs_in = who_signs_in

    def share(self, actor: Actor, booking_id: str, upload: Upload) -> Document:
        """Keeps the file and tells the portal. The same `request_key` again: the document of the first time.

        Raises NotFound, PermissionDenied, or InvalidArgument (fields "file", "title", "readers").
        """
        kind = checked_file(upload.content, upload.file_name)
        try:
            with self._database.transaction() as session:
                booking = self._bookings.load_own(session, actor, booking_id)
                if known := _made_by(session, booking_id, upload.request_key):
                    return _document(known)
                return _document(self._keep(session, booking, upload, kind))
        except IntegrityError:
            with self._database.read() as session:
                if known := _made_by(session, booking_id, upload.request_key):
                    return _document(known)
            raise

    def of_booking(self, actor: Actor, booking_id: str) -> list[Document]:
        """A booking's documents, the newest first; those that were taken back too."""
        query = _WITH_READERS.where(
            visible_to(actor, BookingDocumentRow.agency_id, BookingDocumentRow.agent_id),
            BookingDocumentRow.booking_id == booking_id,
        ).order_by(BookingDocumentRow.shared_at.desc(), BookingDocumentRow.id)
        with self._database.read() as session:
            return [_document(row) for row in session.scalars(query).unique()]

    def of_client(self, actor: Actor, client_id: str) -> list[Document]:
        """What a client may see in the portal, of all their bookings, the newest first (C3)."""
        with self._database.read() as session:
            mine = select(DocumentReaderRow.document_id).where(DocumentReaderRow.client_id == client_id)
            query = _WITH_READERS.where(
                visible_to(actor, BookingDocumentRow.agency_id, BookingDocumentRow.agent_id),
                BookingDocumentRow.booking_id.in_(ids_of_client(session, client_id)),
                BookingDocumentRow.withdrawn_at.is_(None),
                BookingDocumentRow.for_everyone.is_(True) | BookingDocumentRow.id.in_(mine),
            ).order_by(BookingDocumentRow.shared_at.desc(), BookingDocumentRow.id)
            return [_document(row) for row in session.scalars(query.limit(_LISTED)).unique()]

    def file(self, actor: Actor, document_id: str) -> DocumentFile:
        """Raises NotFound for what the actor may not see, and for what was taken back."""
        with self._database.read() as session:
            row = _visible(session, actor, document_id)
            if row.withdrawn_at is not None:
                raise NotFound("This document was taken back; its file is gone.")
            return DocumentFile(file_name=row.file_name, content_type=row.content_type, content=row.content)

    def withdraw(self, actor: Actor, document_id: str) -> Document:
        """Takes a document back for good: nobody can open it any more. Safe to repeat.

        Raises NotFound or PermissionDenied.
        """
        with self._database.transaction() as session:
            row = _visible(session, actor, document_id)
            if not actor.owns(row.agent_id):
                raise PermissionDenied("Only the agent who owns this booking can take its documents back.")
            session.refresh(row, with_for_update=True)
            if row.withdrawn_at is None:
                row.withdrawn_at, row.content = self._clock.now(), b""
                self._outbox.add(session, document_withdrawn(row), aggregate_id=row.id, agency_id=row.agency_id)
            return _document(row)

    def _keep(self, session: Session, booking: BookingDetail, upload: Upload, kind: FileType) -> BookingDocumentRow:
        count = select(func.count()).where(
            BookingDocumentRow.booking_id == booking.id, BookingDocumentRow.withdrawn_at.is_(None)
        )
        if (session.scalar(count) or 0) >= MAX_PER_BOOKING:
            raise InvalidArgument(f"A booking holds {MAX_PER_BOOKING} documents at most. Take one back first.")
        readers = _readers(booking, upload)
        name = clean_name(upload.file_name, kind)
        row = BookingDocumentRow(
            id=new_id("file"),
            agency_id=booking.agency_id,
            agent_id=booking.agent_id,
            booking_id=booking.id,
            request_key=upload.request_key,
            title=upload.title.strip()[:120] or name.rpartition(".")[0],
            file_name=name,
            content_type=kind.content_type,
            size=len(upload.content),
            sha256=sha256(upload.content).hexdigest(),
            for_everyone=not upload.reader_ids,
            shared_at=self._clock.now(),
            content=upload.content,
            readers=[DocumentReaderRow(client_id=reader.client_id) for reader in readers if upload.reader_ids],
        )
        session.add(row)
        session.flush()
        told = self._told(session, readers) if upload.tell else []
        event = document_shared(row, booking, self._bookings.house(session, booking), told)
        self._outbox.add(session, event, aggregate_id=row.id, agency_id=row.agency_id)
        return row

    def _told(self, session: Session, readers: list[Passenger]) -> list[Client]:
        able = self._who_signs_in(session, [reader.client_id for reader in readers])
        return [passenger_snapshot(reader) for reader in readers if reader.email and reader.client_id in able]


def checked_file(content: bytes, file_name: str, *, field: str = "file") -> FileType:
    """What the file is. Raises InvalidArgument, for this field, for what must not be kept."""
    try:
        kind = file_type(content, file_name)
        screen(content, kind)
    except FileRefused as refused:
        raise InvalidArgument(str(refused), field=field) from None
    return kind


def _readers(booking: BookingDetail, upload: Upload) -> list[Passenger]:
    """The passengers who may see it today."""
    if not upload.reader_ids:
        return list(booking.passengers)
    found = [booking.passenger(client_id) for client_id in dict.fromkeys(upload.reader_ids)]
    readers = [passenger for passenger in found if passenger is not None]
    if len(readers) != len(found):
        raise InvalidArgument("Tick passengers of this booking only.", field="readers")
    return readers


def _made_by(session: Session, booking_id: str, request_key: str) -> BookingDocumentRow | None:
    query = select(BookingDocumentRow).where(
        BookingDocumentRow.booking_id == booking_id, BookingDocumentRow.request_key == request_key
    )
    return session.scalars(query).first()


def _visible(session: Session, actor: Actor, document_id: str) -> BookingDocumentRow:
    row = session.scalar(
        select(BookingDocumentRow).where(
            BookingDocumentRow.id == document_id,
            visible_to(actor, BookingDocumentRow.agency_id, BookingDocumentRow.agent_id),
        )
    )
    if row is None:
        raise NotFound("There is no such document among yours.")
    return row


def _document(row: BookingDocumentRow) -> Document:
    return Document(
        id=row.id,
        booking_id=row.booking_id,
        title=row.title,
        file_name=row.file_name,
        type_words=words_of(row.content_type),
        size_words=size_words(row.size),
        for_everyone=row.for_everyone,
        reader_ids=tuple(reader.client_id for reader in row.readers),
        shared_at=row.shared_at,
        withdrawn_at=row.withdrawn_at,
    )
