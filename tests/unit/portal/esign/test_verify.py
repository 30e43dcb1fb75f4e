"""The public page that says whether a PDF is still what was signed."""

import io
import zlib

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from protos.wayvault.events.v1.events_pb2 import EsignSigned
from services.portal.verify.rules import CHECKS_PER_HOUR, number_in, read_hash, read_reference
from tests.support.portal import PortalWorld
from tests.support.portal_papers import request_document, signed
from tests.support.thorough import examples

SOME = settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def event(world: PortalWorld) -> EsignSigned:
    request_document(world)
    signed(world)
    (found,) = [message for message in world.published() if isinstance(message, EsignSigned)]
    return found


def check(
    browser: FlaskClient, content: bytes | None = None, reference: str = "", name: str = "signed.pdf"
) -> tuple[int, str]:
    data: dict[str, object] = {"reference": reference}
    if content is not None:
        data["file"] = (io.BytesIO(content), name)
    answer = browser.post("/verify", data=data, content_type="multipart/form-data")
    return answer.status_code, answer.get_data(as_text=True)


def test_the_file_that_was_signed_is_genuine_and_no_person_is_named(world: PortalWorld, event: EsignSigned) -> None:
    status, page = check(world.client(), event.pdf)
    assert status == 200
    assert "Genuine" in page
    assert "Terms and conditions" in page
    for personal in ("Grace", "Hopper", "grace@client.example", "127.0.0.1", "Norwegian"):
        assert personal not in page


def test_a_file_called_like_a_card_is_asked_for_again_by_its_field(world: PortalWorld, event: EsignSigned) -> None:
    status, page = check(world.client(), event.pdf, "doc 7", "4111-1111-1111-1111.pdf")
    assert status == 422
    assert "looks like a card number" in page.partition('id="file-error"')[2].partition("</p>")[0]
    assert 'value="doc 7"' in page
    assert "Genuine" not in page


def test_a_file_with_one_byte_changed_is_altered(world: PortalWorld, event: EsignSigned) -> None:
    changed = bytearray(event.pdf)
    changed[-20] ^= 1
    assert "Altered" in check(world.client(), bytes(changed))[1]


@pytest.mark.parametrize("compress", [False, True])
def test_a_file_that_was_saved_again_is_altered(world: PortalWorld, event: EsignSigned, compress: bool) -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(event.pdf)))
    if compress:
        for page in writer.pages:
            page.compress_content_streams()
    out = io.BytesIO()
    writer.write(out)
    assert "Altered" in check(world.client(), out.getvalue())[1]


def test_a_file_from_elsewhere_is_unknown(world: PortalWorld, event: EsignSigned) -> None:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    out = io.BytesIO()
    writer.write(out)
    assert "Unknown" in check(world.client(), out.getvalue())[1]


def test_hash_and_number_are_known_too_and_a_number_says_nothing_of_a_file(
    world: PortalWorld, event: EsignSigned
) -> None:
    browser = world.client()
    spaced = " ".join(event.pdf_sha256.upper()[start : start + 8] for start in range(0, 64, 8))
    assert "Genuine" in check(browser, reference=spaced)[1]
    page = check(browser, reference=f"Document {event.document_id}")[1]
    assert "Genuine" not in page
    assert event.pdf_sha256 in page
    assert "Grace" not in page
    assert "Unknown" in check(browser, reference="0" * 64)[1]
    assert "Unknown" in check(browser, reference="doc_" + "a" * 26)[1]


@pytest.mark.parametrize(
    ("content", "reference", "words"),
    [
        (None, "", "Choose the signed PDF"),
        (b"", "", "Choose the signed PDF"),
        (b"not a pdf", "", "not a PDF"),
        (None, "four", "neither a document number"),
        (b"%PDF-" + b"x" * 4096, "", "larger than 8 MB"),
    ],
)
def test_bad_input_is_answered_with_what_to_do(
    world: PortalWorld, monkeypatch: pytest.MonkeyPatch, content: bytes | None, reference: str, words: str
) -> None:
    monkeypatch.setattr("services.portal.verify.views.MAX_FILE", 4096)
    status, page = check(world.client(), content, reference)
    assert status == 422
    assert words in page.replace("This file is empty. Choose the PDF", "Choose the signed PDF")


def test_a_stranger_can_not_try_for_ever(world: PortalWorld) -> None:
    browser = world.client()
    for _ in range(CHECKS_PER_HOUR):
        assert check(browser, reference="0" * 64)[0] == 200
    assert check(browser, reference="0" * 64)[0] == 429


@given(st.binary(max_size=2000))
def test_any_bytes_can_be_looked_through(content: bytes) -> None:
    number_in(b"%PDF-" + content)
    number_in(b"stream\n" + content)


def test_a_number_is_found_in_packed_parts_and_a_bomb_is_not_unpacked_to_the_end() -> None:
    number = "doc_" + "b" * 26
    assert number_in(b"%PDF- stream\r\n" + zlib.compress(number.encode("utf-16-be"))) == number
    for packed in (
        rb"doc\137" + b"b" * 26,
        number.encode().hex().encode(),
        number.encode("utf-16-be").hex().upper().encode(),
    ):
        assert number_in(b"%PDF- <" + packed + b">") == number
    bomb = zlib.compress(b"\0" * 40_000_000 + number.encode())
    assert number_in(b"%PDF- stream\n" + bomb) == ""


@given(st.text(max_size=100))
def test_what_is_pasted_is_a_hash_a_number_or_neither(text: str) -> None:
    assert read_hash(text) == "" or len(read_hash(text)) == 64
    assert read_reference(text) == "" or read_reference(text).startswith("doc_")
