"""How what a client signs follows when two clients are merged (C4)."""

from chassis.db.references import Reference
from services.portal.esign.models import SignedDocumentRow, SignRequestRow

CLIENT_REFERENCES = (Reference(column=SignRequestRow.client_id), Reference(column=SignedDocumentRow.client_id))
