"""A signed document as PDF: what was signed, then a certificate of how it was signed (M2, M13, C8).

The same document gives the same bytes: the layout has no randomness and no other clock than `signed_at`.
It shows of the card the brand and the last four digits (PCI DSS 4.0.1, 3.4.1); more never reaches this service.
"""

import io
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from fpdf import FPDF
from fpdf.enums import Align, WrapMode, XPos, YPos

from chassis.paper import fonts
from services.portal.esign.on_file_rules import consent_to_reuse, words_of_reuse
from services.portal.esign.rules import Signature, SignatureKind
from services.portal.evidence import EvidenceStep, StepKind

_MARGIN = 18.0
_INK = (24, 33, 43)
_QUIET = (92, 105, 120)
_LINE = (214, 220, 227)
_LABEL_WIDTH = 44.0
_SIGNATURE_BOX = (78.0, 26.0)

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
    agency_name: str
    agency_contact: str
    accent: tuple[int, int, int]
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

    def all_text(self) -> str:
        """Every character that is printed, for choosing the fonts."""
        parts = [self.title, self.agency_name, self.agency_contact, self.headline, self.terms_text, self.consent_text]
        parts += [part for fact in self.facts for part in fact]
        parts += [self.signature.signer_name, self.signer_email, self.terms_version]
        parts += [f"{step.detail}{step.user_agent}{step.ip}" for step in self.steps]
        return "".join(parts)


class _Paper(FPDF):
    """Page furniture: a thin accent line on top, the document's number and the page below."""

    def __init__(self, document: PrintedDocument) -> None:
        super().__init__(format=_paper_format(document.time_zone))
        self.document = document
        self.set_margins(_MARGIN, _MARGIN)
        self.set_auto_page_break(True, margin=22)
        self.set_lang("en")
        self.set_title(document.title)
        self.set_author(document.agency_name)
        self.set_creator("Wayvault")
        # By this a copy that was changed still says which document it was (services.portal.verify).
        self.set_subject(f"Document {document.document_id}")
        self.set_producer("Wayvault")
        self.set_creation_date(document.signed_at)
        fonts.install(self, document.all_text(), hand=document.signature.kind is SignatureKind.TYPED)

    def header(self) -> None:
        self.set_fill_color(*self.document.accent)
        self.rect(0, 0, self.w, 3, style="F")

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font(fonts.BODY, size=8)
        self.set_text_color(*_QUIET)
        half = self.epw / 2
        self.cell(half, 5, f"Document {self.document.document_id}")
        self.cell(half, 5, f"Page {self.page_no()} of {{nb}}", align=Align.R)

    def say(self, text: str, *, size: float = 10, style: str = "", colour: tuple[int, int, int] = _INK) -> None:
        """A paragraph over the full width; words longer than the line are broken, never cut off."""
        self.set_font(fonts.BODY, style=style, size=size)
        self.set_text_color(*colour)
        self.multi_cell(0, size * 0.5, text, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def gap(self, height: float) -> None:
        self.set_y(self.get_y() + height)

    def heading(self, text: str) -> None:
        if self.will_page_break(24):
            self.add_page()
        self.gap(5)
        self.say(text, size=12, style="B")
        self.gap(1)

    def rule(self) -> None:
        self.set_draw_color(*_LINE)
        self.set_line_width(0.2)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())

    def fact(self, label: str, text: str, *, wrap: WrapMode = WrapMode.WORD) -> None:
        """A label and its value beside it."""
        if self.will_page_break(12):
            self.add_page()
        top = self.get_y()
        self.set_font(fonts.BODY, size=9.5)
        self.set_text_color(*_QUIET)
        self.multi_cell(_LABEL_WIDTH, 5, label, align=Align.L, new_x=XPos.RIGHT, new_y=YPos.TOP)
        self.set_xy(self.l_margin + _LABEL_WIDTH, top)
        self.set_text_color(*_INK)
        self.multi_cell(0, 5, text, align=Align.L, wrapmode=wrap, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.gap(0.8)


def render(document: PrintedDocument) -> bytes:
    """The document as PDF bytes."""
    # fpdf2 warns of each glyph no font has; the box it draws says so well enough, and a name is no log entry.
    logging.getLogger("fpdf").setLevel(logging.ERROR)
    paper = _Paper(document)
    paper.add_page()
    _what_was_signed(paper, document)
    paper.add_page()
    _certificate(paper, document)
    return bytes(paper.output())


def _what_was_signed(paper: _Paper, document: PrintedDocument) -> None:
    paper.gap(2)
    paper.say(document.agency_name, size=11, style="B", colour=document.accent)
    paper.say(document.agency_contact, size=9, colour=_QUIET)
    paper.gap(6)
    paper.say(document.title, size=18, style="B")
    if document.headline:
        paper.gap(2)
        paper.say(document.headline, size=22, style="B", colour=document.accent)
    paper.gap(3)
    paper.rule()
    paper.gap(3)
    for label, text in document.facts:
        paper.fact(label, text)
    paper.heading("Terms")
    paper.say(document.terms_text, size=10)
    paper.heading("Signature")
    paper.say(document.consent_text, size=10)
    paper.gap(3)
    _signature(paper, document)


def _signature(paper: _Paper, document: PrintedDocument) -> None:
    width, height = _SIGNATURE_BOX
    if paper.will_page_break(height + 18):
        paper.add_page()
    top = paper.get_y()
    paper.set_draw_color(*_LINE)
    paper.set_line_width(0.3)
    if document.signature.kind is SignatureKind.DRAWN:
        paper.image(
            io.BytesIO(document.signature.image),
            x=paper.l_margin,
            y=top,
            w=width,
            h=height,
            keep_aspect_ratio=True,
            alt_text=f"Signature drawn by {document.signature.signer_name}",
        )
    else:
        paper.set_font(fonts.HAND, size=20)
        paper.set_text_color(*_INK)
        paper.set_xy(paper.l_margin, top + 6)
        paper.multi_cell(paper.epw, 10, document.signature.signer_name, align=Align.L, new_x=XPos.LMARGIN)
    bottom = max(top + height, paper.get_y())
    paper.line(paper.l_margin, bottom, paper.l_margin + width, bottom)
    paper.set_y(bottom + 1.5)
    paper.say(f"{document.signature.signer_name}", size=10, style="B")
    paper.say(_how_signed(document), size=9, colour=_QUIET)


def _how_signed(document: PrintedDocument) -> str:
    signature, at = document.signature, local_time(document.signed_at, document.time_zone)
    if signature.reused is not None:
        return words_of_reuse(local_day(signature.reused.given_at, document.time_zone), at)
    return f"Signature {'drawn' if signature.kind is SignatureKind.DRAWN else 'typed'} on {at}"


def _certificate(paper: _Paper, document: PrintedDocument) -> None:
    paper.gap(2)
    paper.say("Certificate of signature", size=18, style="B")
    paper.gap(1)
    paper.say(
        f"This page shows who signed the {document.calls_itself} on the pages before, when and from where. "
        "Anyone can check that the text was not changed: the fingerprint below is the SHA-256 of its exact words, in "
        f"UTF-8; and {document.verify_url} says whether this file is still the one that was signed.",
        size=9.5,
        colour=_QUIET,
    )
    paper.gap(3)
    paper.rule()
    paper.gap(3)
    signed = document.signature
    paper.fact("Signer", f"{signed.signer_name}, {document.signer_email}")
    paper.fact("Way of signing", "Drawn by hand" if signed.kind is SignatureKind.DRAWN else "Name typed")
    if signed.reused is not None:
        given = utc_time(signed.reused.given_at)
        paper.fact("On file since", f"{given}, document {signed.reused.document_id}")
        paper.fact("Reused", words_of_reuse(given, utc_time(document.signed_at)))
        given_on = local_day(signed.reused.given_at, document.time_zone)
        paper.fact("Consent to reuse", consent_to_reuse(given_on))
    paper.fact("Signed at", utc_time(document.signed_at))
    paper.fact("Terms version", document.terms_version)
    paper.fact("Terms SHA-256", document.terms_sha256, wrap=WrapMode.CHAR)
    paper.fact("Consent version", document.consent_version)
    paper.fact("Consent", document.consent_text)
    paper.fact("Document", document.document_id)
    paper.heading("Every step")
    for step in document.steps:
        _step(paper, step, _STEP_WORDS.get(step.kind, document.signed_words))


def _step(paper: _Paper, step: EvidenceStep, words: str) -> None:
    lines = [words + (f" {step.detail}" if step.detail else "")]
    if step.ip:
        lines.append(f"from {step.ip}")
    if step.user_agent:
        lines.append(step.user_agent)
    paper.fact(utc_time(step.at), "\n".join(lines))


def utc_time(moment: datetime) -> str:
    """An exact moment for evidence: "2026-11-21 20:09:41 UTC"."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def local_day(moment: datetime, time_zone: str) -> str:
    """A day for people, in the agency's zone: "Sat 21 Nov 2026"."""
    return format_date(moment.astimezone(ZoneInfo(time_zone)).date(), "EEE d MMM y", locale="en_US")


def local_time(moment: datetime, time_zone: str) -> str:
    """A moment for people, in the agency's zone: "Sat 21 Nov 2026, 15:09 EST"."""
    zone = ZoneInfo(time_zone)
    return format_datetime(moment.astimezone(zone), "EEE d MMM y, HH:mm zzz", tzinfo=zone, locale="en_US")


def _paper_format(time_zone: str) -> str:
    """Letter where printers hold Letter, A4 elsewhere."""
    return "Letter" if time_zone.startswith("America/") else "A4"
