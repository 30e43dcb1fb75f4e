"""What the documents room publishes."""

from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import Client, DocumentShared, DocumentWithdrawn
from services.crm.trips.bookings.service import BookingDetail, House
from services.crm.trips.documents.models import BookingDocumentRow


def document_shared(
    row: BookingDocumentRow, booking: BookingDetail, house: House, told: list[Client]
) -> DocumentShared:
    """The file itself, who may see it, and who is to be told."""
    return DocumentShared(
        document_id=row.id,
        booking_id=row.booking_id,
        title=row.title,
        file_name=row.file_name,
        content_type=row.content_type,
        content=row.content,
        content_sha256=row.sha256,
        shared_at=stamp(row.shared_at),
        for_everyone=row.for_everyone,
        client_ids=[reader.client_id for reader in row.readers],
        told=told,
        booking_title=booking.title,
        agent=house.agent,
        agency=house.agency,
    )


def document_withdrawn(row: BookingDocumentRow) -> DocumentWithdrawn:
    return DocumentWithdrawn(document_id=row.id, booking_id=row.booking_id)
