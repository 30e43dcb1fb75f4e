"""How the readers of documents follow when two clients are merged (C4). The portal follows by itself."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.db.references import Reference
from services.crm.trips.documents.models import DocumentReaderRow


def _follow(session: Session, kept_id: str, merged_id: str) -> int:
    """Where both may see a document they become one reader."""
    rows = session.scalars(select(DocumentReaderRow).where(DocumentReaderRow.client_id == merged_id)).all()
    for row in rows:
        document_id = row.document_id
        session.delete(row)
        session.flush()
        if session.get(DocumentReaderRow, (document_id, kept_id)) is None:
            session.add(DocumentReaderRow(document_id=document_id, client_id=kept_id))
    session.flush()
    return len(rows)


CLIENT_REFERENCES = (Reference(column=DocumentReaderRow.client_id, follow=_follow, words="documents"),)
