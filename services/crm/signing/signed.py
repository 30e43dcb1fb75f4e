"""What stays forever of whatever was signed in the portal (M13)."""

from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.bus import EventMeta
from protos.wayvault.events.v1.events_pb2 import EsignSigned, InsuranceDecided


class SignedColumns:
    """The columns of a signed document, whose PDF has its certificate on the last page."""

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    signer_name: Mapped[str] = mapped_column(String(200))
    # drawn, typed, or another kind that the portal knows.
    signature_kind: Mapped[str] = mapped_column(String(20))
    text_sha256: Mapped[str] = mapped_column(String(64))
    ip: Mapped[str] = mapped_column(String(64))
    pdf: Mapped[bytes] = mapped_column(LargeBinary)
    pdf_sha256: Mapped[str] = mapped_column(String(64))


def signed_columns(message: EsignSigned | InsuranceDecided, meta: EventMeta) -> dict[str, Any]:
    """The values of these columns, as the portal told them."""
    return {
        "id": message.document_id,
        "agency_id": meta.agency_id,
        "signer_name": message.signer_name[:200],
        "signature_kind": message.signature_kind[:20],
        "text_sha256": message.text_sha256[:64],
        "ip": message.origin.ip[:64],
        "pdf": message.pdf,
        "pdf_sha256": message.pdf_sha256[:64],
    }
