"""The signed authorization as PDF: its content, its certificate, names in any script."""

import base64
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from chassis.paper import faces
from chassis.paper.letterhead import Letterhead, PaperSize
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import DeliverySent, DocumentSigned
from services.portal.esign.drawing import DrawingError, read_drawing
from services.portal.esign.pdf import PrintedDocument, record_of
from services.portal.esign.pdf import render as render_record
from services.portal.esign.rules import CONSENT_TEXT, Signature, SignatureKind, clean_name, is_name, text_sha256
from services.portal.evidence import EvidenceStep, StepKind
from tests.support.portal import LINK, TERMS, PortalWorld, signature_png

AT = datetime(2026, 11, 21, 20, 9, 41, tzinfo=UTC)
NAMES = {
    "Latin": "José Žižka-Ångström",
    "Greek": "Ελένη Παπαδοπούλου",
    "Cyrillic": "Иван Петрович",
    "Arabic": "عمر الشريف",
    "Hebrew": "דוד בן־גוריון",
    "Devanagari": "नरेन्द्र शर्मा",
    "Thai": "สมชาย ใจดี",
    "Han": "王小明 张伟",
    "Kana": "さくら タロウ",
    "Hangul": "김철수",
    "Georgian": "ნინო",
    "Emoji": "Ann 🎉",
    "Mongolian": "ᠮᠣᠩ",
    "Han that no face has": "王𠀁𠀂",
}


def document(**changes: object) -> PrintedDocument:
    made = PrintedDocument(
        document_id="doc_1",
        title="Credit card authorization",
        head=Letterhead(
            name="Harbour & Vine Travel", contact="+1 (212) 555 0100", accent="#0f5b61", paper=PaperSize.LETTER
        ),
        time_zone="America/New_York",
        facts=(("Supplier", "Aurora Cruises"), ("Card", "Visa ending in 1111")),
        headline="US$\u00a01,240.00",
        terms_text=TERMS,
        terms_version="2026-11",
        terms_sha256=text_sha256(TERMS),
        consent_text=CONSENT_TEXT,
        consent_version="2026-11",
        signature=Signature(kind=SignatureKind.TYPED, signer_name="Grace Hopper"),
        signer_email="grace@client.example",
        signed_at=AT,
        steps=tuple(
            EvidenceStep(kind=kind, at=AT + timedelta(seconds=number), ip="203.0.113.9", user_agent="Mozilla/5.0")
            for number, kind in enumerate(StepKind)
        ),
        calls_itself="authorization",
        signed_words="Authorization signed",
        verify_url="https://portal.example/verify",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def render(made: PrintedDocument) -> bytes:
    """The PDF, by way of what is kept."""
    return render_record(record_of(made))


def pages(pdf: bytes) -> list[str]:
    """Each page's text with runs of blanks folded."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def test_the_first_page_holds_the_authorization_and_the_last_its_certificate() -> None:
    first, last = pages(render(document()))
    for words in ("Harbour & Vine Travel", "US$ 1,240.00", "Aurora Cruises", "Visa ending in 1111", "Grace Hopper"):
        assert words in first, words
    assert " ".join(TERMS.split()) in first
    assert sha256(TERMS.encode()).hexdigest() in last
    for words in ("Link made", "Link sent", "Link opened", "Form submitted", "Authorization signed", "203.0.113.9"):
        assert words in last, words
    assert "2026-11-21 20:09:41 UTC" in last


def test_the_same_document_gives_the_same_bytes() -> None:
    assert render(document()) == render(document())


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_a_name_in_any_script_can_be_printed(name: str) -> None:
    pdf = render(document(signature=Signature(kind=SignatureKind.TYPED, signer_name=name)))
    assert len(pages(pdf)) == 2


@pytest.mark.parametrize("script", ["Latin", "Greek", "Cyrillic", "Han", "Kana", "Hangul"])
def test_a_printed_name_can_be_read_back(script: str) -> None:
    pdf = render(document(signature=Signature(kind=SignatureKind.TYPED, signer_name=NAMES[script])))
    assert NAMES[script].replace(" ", "") in pages(pdf)[1].replace(" ", "")


def test_a_name_without_a_face_is_never_left_blank() -> None:
    name = NAMES["Han that no face has"]
    assert faces.unprintable(name) == ("𠀁", "𠀂")
    signed = Signature(kind=SignatureKind.TYPED, signer_name=name)
    assert "王[U+20001][U+20002]" in pages(render(document(signature=signed)))[1]


def test_the_record_holds_all_that_is_printed_and_its_fingerprint_stands_in_the_certificate() -> None:
    signed = Signature(kind=SignatureKind.DRAWN, signer_name="Grace Hopper", image=read_drawing(signature_png()))
    record = record_of(document(signature=signed))
    assert record.sha256 in pages(render_record(record))[1]
    assert record_of(document(signature=signed, terms_text=f"{TERMS} ")).sha256 != record.sha256
    assert replace(record, drawing=b"").sha256 != record.sha256


def test_long_terms_and_unbroken_words_run_over_pages_and_the_certificate_comes_last() -> None:
    terms = "W" * 900 + "\n\n" + "A long paragraph of terms. " * 400
    made = pages(render(document(terms_text=terms, terms_sha256=text_sha256(terms))))
    assert len(made) > 2
    assert "Certificate of signature" in made[-1]
    assert text_sha256(terms) in made[-1]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60), st.text(max_size=200))
def test_no_text_breaks_the_document(name: str, terms: str) -> None:
    signed = Signature(kind=SignatureKind.TYPED, signer_name=clean_name(name) or "x")
    assert render(document(signature=signed, terms_text=terms)).startswith(b"%PDF-")


def test_a_drawn_signature_is_printed_as_a_picture() -> None:
    signed = Signature(kind=SignatureKind.DRAWN, signer_name="Grace Hopper", image=read_drawing(signature_png()))
    reader = PdfReader(io.BytesIO(render(document(signature=signed))))
    assert len(reader.pages[0].images) == 1


@pytest.mark.parametrize(
    "url",
    ["", "data:image/png;base64,", "data:image/png;base64,AAAA", "data:image/svg+xml;base64,PHN2Zz4=", "x" * 800_000],
)
def test_what_is_no_drawing_is_refused_with_a_word_to_the_person(url: str) -> None:
    with pytest.raises(DrawingError, match="signature"):
        read_drawing(url)


def test_an_empty_pad_is_no_signature() -> None:
    out = io.BytesIO()
    Image.new("RGB", (900, 300), "white").save(out, "PNG")
    blank = "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
    with pytest.raises(DrawingError, match="draw your signature"):
        read_drawing(blank)


@given(st.text(max_size=300))
def test_a_cleaned_name_is_one_short_line_without_tricks(raw: str) -> None:
    name = clean_name(raw)
    assert name == " ".join(name.split())
    assert len(name) <= 100
    assert not any(char in name for char in "\u202e\u202d\u2066\u0000\n")
    assert clean_name(name) == name


def test_blanks_and_marks_are_no_name() -> None:
    assert not is_name(clean_name(" \u202e.\u200b "))
    assert is_name(clean_name("王明"))


def test_the_portal_publishes_what_it_printed_with_every_step_and_the_hash_of_the_exact_text(
    world: PortalWorld,
) -> None:
    world.issue()
    world.tell(DeliverySent(delivery_id="dlv_1", kind="payment_link", link_id=LINK, at=stamp(world.clock.now())))
    world.clock.advance(timedelta(hours=1))
    world.intake.cardholder = "王小明"
    browser = world.submitted()
    signed = world.published()[-1]
    assert isinstance(signed, DocumentSigned)
    assert signed.pdf == browser.get(f"/pay/{LINK}/authorization.pdf").data
    assert signed.pdf_sha256 == sha256(signed.pdf).hexdigest()
    assert signed.terms_sha256 == sha256(TERMS.encode()).hexdigest()
    first, last = pages(signed.pdf)
    assert signed.terms_sha256 in last
    assert "王小明" in first
    assert "12 Long Lane" in first
    assert "United States" in first
    places = [
        last.index(words) for words in ("Link made", "Link sent", "Link opened", "Form submitted", "Authorization")
    ]
    assert places == sorted(places)
    assert last.count("127.0.0.1") == 3
