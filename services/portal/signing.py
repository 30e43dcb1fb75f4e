"""The signature of a posted form, drawn, typed or on file, wherever the portal asks for one."""

from flask import request

from chassis.web.formatting import day
from services.portal.esign.service import (
    ON_FILE,
    Signature,
    SignatureMissing,
    SignaturesOnFile,
    consent_to_reuse,
    read_signature,
)


def offered_on_file(on_file: SignaturesOnFile, *, client_id: str, agency_id: str) -> dict[str, object]:
    """What the signature field shows of the signature on file, and the words beside its tick."""
    known = on_file.of(client_id, agency_id)
    return {"on_file": known, "reuse_words": consent_to_reuse(day(known.given_at)) if known else ""}


def posted_signature(
    on_file: SignaturesOnFile, *, client_id: str, agency_id: str, name: str
) -> tuple[Signature | None, str]:
    """The signature, or why there is none. A drawn one is signed in `name`."""
    sent = request.form
    kind = sent.get("signature_kind", "")
    try:
        if kind == ON_FILE:
            return on_file.reuse(
                client_id,
                agency_id,
                document_id=sent.get("signature_document", "")[:40],
                agreed=bool(sent.get("signature_reuse")),
            ), ""
        return read_signature(
            kind, text=sent.get("signature_text", ""), image=sent.get("signature_image", ""), payer_name=name
        ), ""
    except SignatureMissing as missing:
        return None, str(missing)
