"""A signed document as a printed sheet: what was signed, then a certificate of how it was signed (M2, M13, C8).

It shows of the card the brand and the last four digits (PCI DSS 4.0.1, 3.4.1); more never reaches this service.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from chassis.moments import written_day, written_moment
from chassis.paper import sheet
from chassis.paper.letterhead import Letterhead
from chassis.paper.sheet import Block, Sheet
from services.portal.esign.on_file_rules import consent_to_reuse, words_of_reuse
from services.portal.esign.rules import Signature, SignatureKind
from services.portal.evidence import EvidenceStep, StepKind

_STEP_WORDS: dict[StepKind, str] = {
    StepKind.STARTED: "Payment started",
    StepKind.LINK_ISSUED: "Link made",
    StepKind.LINK_SENT: "Link sent",
    StepKind.LINK_OPENED: "Link opened",
    StepKind.SUBMITTED: "Form submitted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedDocument:
    """Everything the PDF says. Texts are ready to print; `signed_at` and the steps are aware UTC.

    `headline` stands large above the facts, where there is one: the amount, the answer. `calls_itself` is what the
    certificate calls it ("authorization"), `signed_words` its last step; `verify_url` leads to the page that knows it.
    """

    document_id: str
    title: str
    head: Letterhead
    time_zone: str
    facts: tuple[tuple[str, str], ...]
    headline: str
    terms_text: str
    terms_version: str
    terms_sha256: str
    consent_text: str
    consent_version: str
    signature: Signature
    signer_email: str
    signed_at: datetime
    steps: tuple[EvidenceStep, ...]
    calls_itself: str
    signed_words: str
    verify_url: str


_records = TypeAdapter(PrintedDocument)
_DRAWING = {"signature": {"image"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was signed and how, as it is kept: one line of JSON, the drawing beside it."""

    text: str
    drawing: bytes

    @property
    def sha256(self) -> str:
        """The fingerprint of all of it, which is fixed at the moment of signing."""
        return sha256(self.text.encode() + b"\0" + self.drawing).hexdigest()


def record_of(document: PrintedDocument) -> Record:
    """The document as it is kept until it is printed, and afterwards."""
    return Record(
        text=_records.dump_json(document, exclude=_DRAWING).decode(),
        drawing=document.signature.image,
    )


def render(record: Record) -> bytes:
    """The PDF of a record. The same record gives the same bytes, whenever it is printed."""
    document = _records.validate_json(record.text)
    document = replace(document, signature=replace(document.signature, image=record.drawing))
    return sheet.pdf(
        Sheet(
            head=document.head,
            title=document.title,
            # By this a copy that was changed still says which document it was (services.portal.verify).
            subject=f"Document {document.document_id}",
            footer=f"Document {document.document_id}",
            made_at=document.signed_at,
            blocks=(*_what_was_signed(document), sheet.page(), *_certificate(document, record.sha256)),
        )
    )


def _what_was_signed(document: PrintedDocument) -> list[Block]:
    blocks = [sheet.headline(document.headline)] if document.headline else []
    blocks += [sheet.rule(), *sheet.facts(*document.facts)]
    blocks += [sheet.heading("Terms"), sheet.say(document.terms_text)]
    blocks += [sheet.heading("Signature"), sheet.say(document.consent_text)]
    signed, how = document.signature, _how_signed(document)
    if signed.kind is SignatureKind.DRAWN:
        blocks.append(sheet.drawn_signature(signed.image, signed.signer_name, how))
    else:
        blocks.append(sheet.typed_signature(signed.signer_name, how))
    return blocks


def _how_signed(document: PrintedDocument) -> str:
    signature, at = document.signature, local_time(document.signed_at, document.time_zone)
    if signature.reused is not None:
        return words_of_reuse(local_day(signature.reused.given_at, document.time_zone), at)
    return f"Signature {'drawn' if signature.kind is SignatureKind.DRAWN else 'typed'} on {at}"


def _certificate(document: PrintedDocument, record_sha256: str) -> list[Block]:
    signed = document.signature
    return [
        sheet.title("Certificate of signature"),
        sheet.quiet(
            f"This page shows who signed the {document.calls_itself} on the pages before, when and from where. "
            "Anyone can check that the text was not changed: the fingerprint below is the SHA-256 of its exact words, "
            f"in UTF-8; and {document.verify_url} says whether this file is still the one that was signed."
        ),
        sheet.rule(),
        *sheet.facts(
            ("Signer", f"{signed.signer_name}, {document.signer_email}"),
            ("Way of signing", "Drawn by hand" if signed.kind is SignatureKind.DRAWN else "Name typed"),
            *_reuse(document),
            ("Signed at", utc_time(document.signed_at)),
            ("Terms version", document.terms_version),
            ("Terms SHA-256", document.terms_sha256),
            ("Consent version", document.consent_version),
            ("Consent", document.consent_text),
            ("Document", document.document_id),
            ("Record SHA-256", record_sha256),
        ),
        sheet.heading("Every step"),
        *(_step(step, _STEP_WORDS.get(step.kind, document.signed_words)) for step in document.steps),
    ]


def _reuse(document: PrintedDocument) -> tuple[tuple[str, str], ...]:
    reused = document.signature.reused
    if reused is None:
        return ()
    given = utc_time(reused.given_at)
    return (
        ("On file since", f"{given}, document {reused.document_id}"),
        ("Reused", words_of_reuse(given, utc_time(document.signed_at))),
        ("Consent to reuse", consent_to_reuse(local_day(reused.given_at, document.time_zone))),
    )


def _step(step: EvidenceStep, words: str) -> Block:
    lines = [words + (f" {step.detail}" if step.detail else "")]
    if step.ip:
        lines.append(f"from {step.ip}")
    if step.user_agent:
        lines.append(step.user_agent)
    return sheet.fact(utc_time(step.at), "\n".join(lines))


def utc_time(moment: datetime) -> str:
    """An exact moment for evidence: "2026-11-21 20:09:41 UTC"."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def local_day(moment: datetime, time_zone: str) -> str:
    """A day for people, in the agency's zone: "Sat 21 Nov 2026"."""
    return written_day(moment.astimezone(ZoneInfo(time_zone)).date())


def local_time(moment: datetime, time_zone: str) -> str:
    """A moment for people, in the agency's zone: "Sat 21 Nov 2026, 3:09 PM EST"."""
    return written_moment(moment, ZoneInfo(time_zone))
