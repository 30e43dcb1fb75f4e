import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.crm.trips.documents.rules import (
    FILE_TYPES,
    MAX_BYTES,
    PDF,
    FileRefused,
    clean_name,
    file_type,
    size_words,
)
from services.crm.trips.documents.screening import holds_card
from tests.support.office_files import JPEG, PNG, docx, packed, pdf

ODT = "application/vnd.oasis.opendocument.text"


@pytest.mark.parametrize(
    ("content", "name", "ending"),
    [
        (pdf(), "pass.exe", "pdf"),
        (PNG, "map.pdf", "png"),
        (JPEG, "x", "jpg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "x.webp", "webp"),
        (docx(), "voucher.zip", "docx"),
        (packed({"mimetype": ODT, "content.xml": "<x/>"}), "letter.odt", "odt"),
        ("Grüße".encode(), "note.txt", "txt"),
        (b"a,b\n1,2\n", "list.csv", "csv"),
        (b"BEGIN:VCALENDAR", "trip.ICS", "ics"),
        ("Grüße, 名前".encode("utf-16"), "note.txt", "txt"),
        (b"\xfe\xff" + "Name\tLand\nÅse\tNO".encode("utf-16-be"), "list.csv", "csv"),
        (b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe", "note.txt", "txt"),
    ],
)
def test_a_file_is_what_its_bytes_say_whatever_it_is_called(content: bytes, name: str, ending: str) -> None:
    kind = file_type(content, name)
    assert kind.ending == ending
    assert clean_name(name, kind).endswith(f".{ending}")


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (b"", "x.pdf", "empty"),
        (b"%PDF-" + b"0" * MAX_BYTES, "x.pdf", "larger than 5 MB"),
        (b"MZ\x90\x00", "x.pdf", "can't be shared"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "x.heic", "export it as JPEG"),
        (b"\x00\x00\x00\x1cftypavif\x00\x00", "x.avif", "picture in AVIF format"),
        (b"GIF89a....", "x.gif", "picture in GIF format"),
        (b"BM" + b"\x46" + bytes(30), "x.bmp", "picture in BMP format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "__substg1.0_0037001F".encode("utf-16-le"), "x.msg", "from Outlook"),
        ("BEGIN:VCALENDAR".encode("utf-16"), "x.ics", "in UTF-16.*Save it as UTF-8"),
        ("Name\0Land".encode("utf-16"), "x.csv", "can't be shared"),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00", "photo.jpg", "export it as JPEG"),
        (b"{\\rtf1 Hello}", "x.rtf", "can't be shared"),
        (b"<script>alert(1)</script>", "x.html", "can't be shared"),
        (b"<svg onload='x'/>", "x.svg", "can't be shared"),
        (packed({"a.txt": "x"}), "x.zip", "Archives"),
        (packed({"a.txt": "x"}), "x.docx", "Archives"),
        (b"PK\x03\x04 broken", "x.docx", "Archives"),
        (packed({"mimetype": "application/epub+zip"}), "x.odt", "Archives"),
        (
            packed({"[Content_Types].xml": "", "word/document.xml": "<w:p/>", "word/vbaProject.bin": b"macro"}),
            "x.docx",
            "macros",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "x.doc", "older Office"),
        (b"\xff\xfet\x00t", "x.txt", "not in Unicode"),
        (docx()[:100], "x.docx", "can't be read to its end"),
        (packed({"pass.json": "{}", "signature": b"x"}), "x.pkpass", "Apple Wallet.*PDF"),
        (packed({"Index/Document.iwa": b"x"}), "x.pages", "Pages.*PDF"),
        (packed({"Index.zip": b"x"}), "x.numbers", "Numbers.*PDF"),
        (b"Gr\xfc\xdfe", "x.txt", "UTF-8"),
    ],
)
def test_what_can_not_be_shared_is_refused_with_a_way_out(content: bytes, name: str, why: str) -> None:
    with pytest.raises(FileRefused, match=why):
        file_type(content, name)


@given(content=st.binary(max_size=400), name=st.text(max_size=80))
def test_any_bytes_are_a_known_kind_or_refused_in_words(content: bytes, name: str) -> None:
    try:
        outcome: object = file_type(content, name)
    except FileRefused as refused:
        outcome = str(refused)
    assert outcome in FILE_TYPES or len(str(outcome)) > 20


@given(name=st.text(max_size=300))
def test_a_kept_name_is_one_short_visible_line_without_folders(name: str) -> None:
    kept = clean_name(name, PDF)
    assert kept.endswith(".pdf")
    assert len(kept) <= 109
    assert len(kept.encode()) <= 255
    assert not set(kept) & set('/\\<>:"|?*\n\r\t\u202e\x00')
    assert not kept.startswith(".")


def test_a_name_keeps_its_words_and_loses_its_folders() -> None:
    assert clean_name("C:\\Users\\maya\\Boarding passes.PDF", PDF) == "Boarding passes.pdf"
    assert clean_name("../../etc/passwd", PDF) == "passwd.pdf"
    assert clean_name("\u202efdp.exe", PDF) == "fdp.pdf"
    assert clean_name("...", PDF) == "document.pdf"
    assert clean_name("\ud800\u3164.pdf", PDF) == "document.pdf"
    assert clean_name("con.pdf", PDF) == "file con.pdf"
    assert clean_name("LPT1.tar.gz", PDF) == "file LPT1.tar.pdf"
    assert clean_name("re\u0301sume\u0301 🏝️.pdf", PDF) == "résumé 🏝️.pdf"


@pytest.mark.parametrize(
    "text",
    ["Card 4111 1111 1111 1111 exp 12/29", "5555-5555-5555-4444", "378282246310005", "No.\u00a04111111111111111."],
)
def test_a_card_number_in_a_files_text_is_found(text: str) -> None:
    assert holds_card(pdf(text.replace("\u00a0", " ")), PDF)
    word = docx(text)
    assert holds_card(word, file_type(word, "x.docx"))
    plain = text.encode()
    assert holds_card(plain, file_type(plain, "x.txt"))


@pytest.mark.parametrize(
    "text",
    [
        "E-ticket 220 1234567890 / 001-2345678905",
        "IBAN DE89 3702 0400 4405 3201 3000",
        "Phone +1 617 555 0142 0001",
        "Total 4111.11 and 1111.11",
        "4111 1111 1111 1112",
    ],
)
def test_other_long_numbers_of_travel_papers_are_not_taken_for_a_card(text: str) -> None:
    plain = text.encode()
    assert not holds_card(plain, file_type(plain, "x.txt"))


def test_a_broken_pdf_has_no_text_and_harms_nobody() -> None:
    assert not holds_card(b"%PDF-1.7 4111", PDF)
    assert not holds_card(pdf()[:200], PDF)


def test_sizes_read_well() -> None:
    assert [size_words(size) for size in (1, 12_345, 1_440_000)] == ["1 KB", "12 KB", "1.4 MB"]
