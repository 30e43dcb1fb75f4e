"""How the readers of documents follow when two clients are merged (C4)."""

from chassis.db.references import Reference, becoming_one
from services.portal.documents.models import DocumentReaderRow

CLIENT_REFERENCES = (
    Reference(
        column=DocumentReaderRow.client_id,
        follow=becoming_one(DocumentReaderRow.client_id, DocumentReaderRow.document_id),
    ),
)
