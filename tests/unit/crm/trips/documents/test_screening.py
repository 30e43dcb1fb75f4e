# ruff: noqa: E501
"""Every part of a file that a reader's program shows is looked into; what can't be is refused in words."""

import base64
import io
import zlib
from collections.abc import Callable
from typing import Any, cast

import pikepdf
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.comments import Comment
from pikepdf import Array, Dictionary, Name, Stream, String
from PIL import Image

from chassis.cards import Brand, grouped
from services.crm.trips.documents.pdf_streams import unpacked
from services.crm.trips.documents.rules import DOCX, PDF, FileRefused, file_type
from services.crm.trips.documents.screening import screen
from tests.support.cards import cards
from tests.support.office_files import PNG, docx, packed, pdf, picture

CARD = "4111 1111 1111 1111"
SHEET = "application/vnd.openxmlformats-officedocument"


def refusal(content: bytes, name: str = "paper.pdf") -> str:
    """What the person reads; empty when the file is taken."""
    try:
        screen(content, file_type(content, name))
    except FileRefused as refused:
        return str(refused)
    return ""


def changed(change: Callable[[pikepdf.Pdf], object], **saving: Any) -> bytes:  # Any: pikepdf's own options
    with pikepdf.open(io.BytesIO(pdf())) as made:
        change(made)
        out = io.BytesIO()
        made.save(out, **saving)
    return out.getvalue()


def long_paper(text: str, pages: int = 31) -> bytes:
    """Many pages, the last of which says the text."""
    with pikepdf.open(io.BytesIO(pdf())) as made, pikepdf.open(io.BytesIO(pdf(text))) as last:
        for _ in range(pages - 1):
            made.pages.append(made.pages[0])
        made.pages.extend(last.pages)
        out = io.BytesIO()
        made.save(out)
    return out.getvalue()


def note(made: pikepdf.Pdf, **entries: Any) -> None:  # Any: pikepdf's objects
    annotation = Dictionary(Type=Name.Annot, Rect=[0, 0, 9, 9], **entries)
    made.pages[0].obj.Annots = Array([made.make_indirect(annotation)])


def _part(made: pikepdf.Pdf, content: bytes) -> Any:  # Any: pikepdf's objects
    return made.make_indirect(Stream(made, content))


def _draw_in_a_field(made: pikepdf.Pdf) -> None:
    """A form field whose value is empty, and whose appearance is not (ISO 32000-1, 12.5.5)."""
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
    drawn = _part(made, f"/Tx BMC q BT /F 12 Tf 2 6 Td ({CARD}) Tj ET Q EMC".encode())
    drawn.Type, drawn.Subtype, drawn.BBox = Name.XObject, Name.Form, [0, 0, 250, 20]
    drawn.Resources = Dictionary(Font=Dictionary(F=made.make_indirect(font)))
    note(made, Subtype=Name.Widget, FT=Name.Tx, T=String("n"), V=String(""), AP=Dictionary(N=drawn))
    made.Root.AcroForm = Dictionary(Fields=made.pages[0].obj.Annots)


def _attach_packed(made: pikepdf.Pdf, way: str, packed_text: bytes) -> None:
    stream = Stream(made, packed_text)
    stream.Filter = Name(f"/{way}")
    spec = Dictionary(Type=Name.Filespec, UF=String("a.txt"), EF=Dictionary(F=made.make_indirect(stream)))
    made.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=Array([String("a.txt"), made.make_indirect(spec)])))


IN_A_PDF: dict[str, Callable[[pikepdf.Pdf], object]] = {
    "comment": lambda made: note(made, Subtype=Name.Text, Contents=String(CARD)),
    "form value": lambda made: setattr(
        made.Root, "AcroForm", Dictionary(Fields=Array([Dictionary(FT=Name.Tx, T=String("card"), V=String(CARD))]))
    ),
    "title": lambda made: made.docinfo.__setitem__("/Title", CARD),
    "bookmark": lambda made: setattr(made.Root, "Outlines", Dictionary(Title=String(CARD))),
    "the form's own data": lambda made: setattr(
        made.Root, "XFA", Stream(made, f"<form><card>{CARD}</card></form>".encode(), Type=Name.XML)
    ),
    "what a form field draws": lambda made: _draw_in_a_field(made),
    "formatted text": lambda made: note(
        made, Subtype=Name.FreeText, RC=String('<p style="a">4111 <span style="b">1111</span> 1111 1111</p>')
    ),
    "a form's boxes": lambda made: setattr(
        made.Root,
        "AcroForm",
        Dictionary(
            Fields=Array(
                [Dictionary(FT=Name.Tx, T=String(f"n{at}"), V=String(part)) for at, part in enumerate(CARD.split())]
            )
        ),
    ),
    "the form's own data in parts": lambda made: setattr(
        made.Root,
        "AcroForm",
        Dictionary(
            Fields=Array([]),
            XFA=Array([String("a"), _part(made, b"<card>4111 1111"), String("b"), _part(made, b" 1111 1111</card>")]),
        ),
    ),
    "the form's own data in UTF-16": lambda made: setattr(
        made.Root, "Own", _part(made, f"<f>{CARD}</f>".encode("utf-16"))
    ),
    "attached text, packed by runs": lambda made: _attach_packed(
        made, "RunLengthDecode", bytes([len(CARD) - 1]) + CARD.encode() + b"\x80"
    ),
    "attached text in hexadecimal": lambda made: _attach_packed(
        made, "ASCIIHexDecode", CARD.encode().hex().encode() + b">"
    ),
    "attached text": lambda made: made.attachments.__setitem__("a.txt", CARD.encode()),
    "attached letter": lambda made: made.attachments.__setitem__("a.docx", docx(CARD)),
}


@pytest.mark.parametrize("place", IN_A_PDF)
def test_a_card_number_anywhere_in_a_pdf_is_found(place: str) -> None:
    assert "card number" in refusal(changed(IN_A_PDF[place]))


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from(("RunLengthDecode", "ASCIIHexDecode", "ASCII85Decode")))
def test_a_stream_is_unpacked_as_it_was_packed(content: bytes, way: str) -> None:
    runs = b"".join(
        bytes([len(part) - 1]) + part for part in (content[at : at + 128] for at in range(0, len(content), 128))
    )
    packings = {
        "RunLengthDecode": runs + b"\x80",
        "ASCIIHexDecode": content.hex().encode() + b">",
        "ASCII85Decode": base64.a85encode(content, wrapcol=60) + b"~>",
    }
    with pikepdf.new() as made:
        stream = Stream(made, packings[way])
        stream.Filter = Name(f"/{way}")
        assert unpacked(stream, 10_000) == content
        assert len(content) < 2 or unpacked(stream, len(content) - 1) is None


_SOUND = (
    pdf("A"),
    docx("A"),
    picture("PNG"),
    picture("JPEG"),
    packed({"[Content_Types].xml": "<T/>", "xl/workbook.xml": "<w/>"}),
)


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(_SOUND),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=6),
)
@example(docx("A"), [(0.5, 1, b"")])
@example(pdf("A").replace(b"/FlateDecode", b"/FljteDecode"), [(0.999, 0, b"")])
def test_a_damaged_file_is_taken_or_refused_in_words_and_no_fault(
    sound: bytes, changes: list[tuple[float, int, bytes]]
) -> None:
    content = bytearray(sound)
    for place, cut, put in changes:
        at = int(place * len(content))
        content[at : at + cut] = put
    refused = refusal(bytes(content), "paper.txt")
    assert refused == "" or refused.endswith(".")


def test_what_was_only_written_over_is_found() -> None:
    """As Acrobat saves: the old title stays in the file, a new one stands behind it (ISO 32000-1, 7.5.6)."""
    old = changed(
        lambda made: made.docinfo.__setitem__("/Title", CARD), object_stream_mode=pikepdf.ObjectStreamMode.disable
    )
    with pikepdf.open(io.BytesIO(old)) as made:
        number, root, size = made.trailer.Info.objgen[0], made.Root.objgen[0], int(made.trailer.Size)
    title = b"%d 0 obj\n<< /Title (Trip) >>\nendobj\n" % number
    index = b"xref\n%d 1\n%010d 00000 n \n" % (number, len(old))
    before = int(old.rpartition(b"startxref")[2].split()[0])
    trailer = b"trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /Prev %d >>\n" % (size, root, number, before)
    new = old + title + index + trailer + b"startxref\n%d\n%%%%EOF\n" % (len(old) + len(title))
    with pikepdf.open(io.BytesIO(new)) as made:
        assert str(made.docinfo["/Title"]) == "Trip"
    assert "card number" in refusal(new)
    assert "card number" not in refusal(new.replace(CARD.encode(), b"four thousand miles"))


def test_a_card_number_on_a_late_page_is_found() -> None:
    assert "card number" in refusal(long_paper(f"Card {CARD}"))
    assert refusal(long_paper("Enjoy your trip")) == ""


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\r\n\r\n", b"--b\r\nContent-Type: application/pdf\r\n\r\n"])
def test_a_pdf_with_bytes_before_its_header_is_taken_and_looked_into(before: bytes) -> None:
    assert file_type(before + pdf(), "x.bin") is PDF
    assert refusal(before + pdf() + b"\r\n--b--\r\n") == ""
    assert "card number" in refusal(before + pdf(CARD))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            changed(lambda made: setattr(made.Root, "OpenAction", Dictionary(S=Name.JavaScript, JS=String("1")))),
            "program",
        ),
        (
            changed(lambda made: setattr(made.Root, "OpenAction", Dictionary(S=Name.Launch, F=String("x.exe")))),
            "program",
        ),
        (changed(lambda made: note(made, AA=Dictionary(K=Dictionary(S=Name.JavaScript, JS=String("1"))))), "program"),
        (pdf() + packed({"a.txt": "x"}), "archive"),
        (pdf() + b"Rar!\x1a\x07\x01\x00", "archive"),
        (pdf() + b"\xfd7zXZ\x00", "archive"),
        (pdf() + b"x" * 2000, "archive"),
        (pdf() + b"\n4111 1111 1111 1111", "card number"),
        (changed(lambda made: setattr(made.Root, "X", _part(made, packed({"a.txt": "x"})))), "archive"),
        (changed(lambda made: made.attachments.__setitem__("a.html", b"<p>Click")), "program"),
        (changed(lambda made: note(made, Subtype=Name.RichMedia)), "built into"),
        (packed({"a.txt": "x"})[:40] + pdf(), "Archives can't be shared"),
        (b"GIF " + packed({"a.txt": "x"})[:40] + pdf(), "archive"),
        (changed(lambda made: None, encryption=pikepdf.Encryption(owner="o", user="u")), "password"),
        (changed(lambda made: made.attachments.__setitem__("a.zip", packed({"a": "x"}))), "built into"),
        (changed(lambda made: made.attachments.__setitem__("a.exe", b"MZ\x90\x00\xff\xfe")), "program"),
        (changed(lambda made: made.attachments.__setitem__("a.dat", b"MZ\x90\x00\xff\xfe")), "built into"),
        (b"%PDF-1.7 nothing more", "can't be read"),
    ],
)
def test_what_must_not_or_can_not_be_looked_into_is_refused_in_the_right_words(content: bytes, why: str) -> None:
    assert why in refusal(content)


def test_a_pdf_that_opens_without_a_password_is_looked_into() -> None:
    owned = pikepdf.Encryption(owner="o", user="")
    assert refusal(changed(lambda made: None, encryption=owned)) == ""
    assert "card number" in refusal(changed(IN_A_PDF["comment"], encryption=owned))


def test_a_pdf_that_unpacks_without_end_is_refused() -> None:
    bomb = changed(lambda made: setattr(made.Root, "Big", Stream(made, b"\0" * 70_000_000)), compress_streams=True)
    assert "more than can be looked through" in refusal(bomb)


def _enlarged(png: bytes) -> bytes:
    """A small PNG that says it is 60,000 pixels each way."""
    at = png.index(b"IHDR")
    head = b"IHDR" + (60_000).to_bytes(4) * 2 + png[at + 12 : at + 17]
    return png[:at] + head + zlib.crc32(head).to_bytes(4) + png[at + 21 :]


def workbook(change: Callable[[Workbook], object]) -> bytes:
    book = Workbook()
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def hidden_sheet(book: Workbook) -> None:
    hidden = book.create_sheet("Secret")
    hidden.sheet_state = "hidden"
    hidden["A1"] = CARD


IN_A_WORKBOOK: dict[str, Callable[[Workbook], object]] = {
    "text": lambda book: book.worksheets[0].__setitem__("A1", CARD),
    "number": lambda book: book.worksheets[0].__setitem__("A1", 4111111111111111),
    "float": lambda book: book.worksheets[0].__setitem__("A1", 3.78282246310005e14),
    "hidden sheet": hidden_sheet,
    "comment": lambda book: setattr(book.worksheets[0]["A1"], "comment", Comment(CARD, "Maya")),
    "sheet name": lambda book: book.create_sheet(CARD.replace(" ", "")),
    "property": lambda book: setattr(book.properties, "keywords", CARD),
    "header": lambda book: setattr(cast("Any", book.worksheets[0].oddHeader).center, "text", CARD),
}


@pytest.mark.parametrize("place", IN_A_WORKBOOK)
def test_a_card_number_anywhere_in_a_workbook_is_found(place: str) -> None:
    assert "card number" in refusal(workbook(IN_A_WORKBOOK[place]), "x.xlsx")
    assert refusal(workbook(lambda book: book.worksheets[0].append(["Hotel", 1240, "220-2345678908"])), "x.xlsx") == ""


def cells(*numbers: int, strings: tuple[str, ...]) -> bytes:
    """A workbook as Excel writes it: cells name their texts, each of which is kept once."""
    texts = "".join(f"<si><t>{text}</t><rPh><t>7</t></rPh></si>" for text in strings)
    row = "".join(f'<c t="s"><v>{number}</v></c>' for number in numbers)
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": "<w/>",
        "xl/worksheets/sheet1.xml": f"<x><row>{row}</row></x>",
        "xl/sharedStrings.xml": f"<sst>{texts}</sst>",
    }
    return packed(parts)


REPEATED = (
    '<d xmlns:t="t"><t:table-row><t:table-cell><p>4111</p></t:table-cell>'
    '<t:table-cell t:number-columns-repeated="3"><p>1111</p></t:table-cell></t:table-row></d>'
)


@pytest.mark.parametrize(
    "content",
    [
        cells(0, 0, 0, 1, strings=("5555", "4444")),
        cells(0, 1, 2, strings=("3782", "822463", "10005")),
        cells(0, *[1] * 15, strings=("4", "1")),
        packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": REPEATED}),
    ],
    ids=["fours", "as printed", "digits", "repeated"],
)
def test_a_card_number_over_several_cells_is_found_however_they_are_kept(content: bytes) -> None:
    assert "card number" in refusal(content, "x.xlsx")


def test_other_numbers_in_neighbouring_cells_pass() -> None:
    assert refusal(cells(0, 1, 2, 3, strings=("Ann", "3475550123", "11200", "2027")), "x.xlsx") == ""
    assert refusal(cells(0, 9, 1, strings=("Hotel", "")), "x.xlsx") == ""


def test_a_photo_that_was_cut_off_on_its_way_is_refused() -> None:
    out = io.BytesIO()
    Image.effect_noise((200, 200), 80).convert("RGB").save(out, "JPEG", progressive=True)
    assert refusal(out.getvalue()) == ""
    assert refusal(out.getvalue() + bytes(40)) == "", "some phones add to the end"
    assert "can't be read to its end" in refusal(out.getvalue()[:6_000])


def word(parts: dict[str, str | bytes], types: str = "") -> bytes:
    return packed({"[Content_Types].xml": f"<Types>{types}</Types>", **parts})


MAIN = f'<Override PartName="/word/document2.xml" ContentType="{SHEET}.wordprocessingml.document.main+xml"/>'


def test_word_onlines_main_part_is_a_word_document_by_its_type() -> None:
    letter = word({"word/document2.xml": "<w:p>Hello</w:p>"}, MAIN)
    assert file_type(letter, "x.docx") is DOCX
    assert refusal(letter) == ""
    assert "card number" in refusal(word({"word/document2.xml": f"<w:p>{CARD}</w:p>"}, MAIN))


@pytest.mark.parametrize("part", ["word/comments.xml", "word/footnotes.xml", "word/header1.xml", "docProps/custom.xml"])
def test_a_card_number_in_any_part_of_a_letter_is_found(part: str) -> None:
    assert "card number" in refusal(word({"word/document.xml": "<w:p/>", part: f"<x>{CARD}</x>"}))
    assert "card number" in refusal(word({"word/document.xml": "<w:p/>", part: f'<x descr="{CARD}"/>'}))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (word({"word/document.xml": "", "word/x.bin": b""}, '<Override ContentType="application/vnd.ms-office.vbaProject"/>'), "macros"),
        (word({"word/document.xml": ""}, MAIN.replace("openxmlformats-officedocument", "ms-word").replace("document.main", "document.macroEnabled.main")), "macros"),
        (packed({"mimetype": "application/vnd.oasis.opendocument.text", "Basic/Standard/Module1.xml": "x"}), "macros"),
        (packed({"mimetype": "application/vnd.oasis.opendocument.text", "META-INF/manifest.xml": "<m:encryption-data/>"}), "password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "password"),
        (word({"word/document.xml": "<w:p/>", "word/embeddings/oleObject1.bin": b"\xd0\xcf\x11\xe0\xff"}), "built into"),
        (word({"word/document.xml": "<w:p/>", "word/embeddings/a.docx": docx(CARD)}), "card number"),
        (word({"word/document.xml": "<w:p><w:instrText>DDEAUTO x y</w:instrText></w:p>"}), "program"),
        (word({"word/document.xml": "<p/>", "word/_rels/s.rels": "<R Type='x/attachedTemplate' TargetMode='External'/>"}), "elsewhere"),
        (word({"xl/workbook.xml": "<w/>", "xl/externalLinks/a.xml": "<ddeLink ddeService='x'/>"}), "program"),
        (word({"word/document.xml": "<?xml version='1.0' encoding='bogus'?><a>Hello</a>"}), "can't be read to its end"),
        (word({"word/document.xml": "<!DOCTYPE a [<!ENTITY b '1111'>]><a>4111&b;</a>"}), "can't be read to its end"),
    ],
)  # fmt: skip
def test_macros_passwords_and_built_in_files_are_refused_by_content(content: bytes, why: str) -> None:
    assert why in refusal(content, "letter.docx")


_OTHER_PARTS = {
    "word/media/drawing.svg": f"<svg><text>{CARD}</text></svg>".encode(),
    "word/media/image9.bin": docx(CARD),
    "customXml/item1.data": packed({"list.txt": CARD}),
    "word/more.pdf": b"%PDF-1.7 no reader opens it",
    f"word/{CARD}.bin": b"\x01",
    "word/header1": f"<a>{CARD}</a>".encode(),
    "word/noted.xml": f"<a><!-- {CARD} --><?x {CARD}?></a>".encode(),
    "word/chunk.mht": b"Content-Transfer-Encoding: base64\n\n" + base64.b64encode(CARD.encode()),
    "word/chunk.rtf": rb"{\rtf1 {4111}{\b 1111}\~\'31111 1111}",
    "xl/sharedStrings.xml": b"<si><t>4111_x0009_1111_x0020_1111_x000D_1111</t></si>",
}


@pytest.mark.parametrize("name", _OTHER_PARTS)
def test_files_within_a_letter_are_known_by_their_bytes_wherever_they_stand(name: str) -> None:
    letter = word({"word/document.xml": "<w:p/>", name: _OTHER_PARTS[name]})
    assert refusal(letter, "letter.docx")
    printer = word(
        {"word/document.xml": "<w:p/>", "word/printerSettings1.bin": b"\x01\x02 Laser", "a/odd.odttf": b"\xd1\x07"}
    )
    assert refusal(printer, "letter.docx") == ""


@settings(deadline=None)
@given(
    cards(),
    st.sampled_from(
        ("", " ", "-", ".", "\u00a0", "\u2011", "</w:t></w:r><w:r><w:t>", "<w:noBreakHyphen/>", "<w:tab/>")
    ),
    st.sampled_from(("word/document.xml", "word/comments.xml", "word/glossary/document.xml", "docProps/app.xml")),
)
def test_any_card_in_a_letter_is_found_however_it_is_written(card: tuple[Brand, str], between: str, part: str) -> None:
    text = between.join(grouped(*card))
    letter: dict[str, str | bytes] = {"word/document.xml": "<w:p/>"}
    letter[part] = f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"
    assert "card number" in refusal(word(letter), "letter.docx")


def test_a_file_within_a_calendar_is_looked_into() -> None:
    attached = base64.b64encode(f"Visa {CARD}".encode()).decode()
    line = f"BEGIN:VCALENDAR\r\nATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY:{attached}\r\n"
    assert "card number" in refusal(line.encode(), "x.ics")
    assert "built into" in refusal(line.replace(attached, "***").encode(), "x.ics")


def test_a_photographs_caption_is_looked_into() -> None:
    """As Photoshop writes it: IPTC's caption in an APP13 segment."""
    caption = b"\x1c\x02\x78" + len(CARD).to_bytes(2) + CARD.encode()
    block = b"Photoshop 3.0\0" + b"8BIM" + (0x0404).to_bytes(2) + b"\0\0" + len(caption).to_bytes(4) + caption
    out = io.BytesIO()
    Image.new("RGB", (40, 20)).save(out, "JPEG")
    jpeg = out.getvalue()
    segment = b"\xff\xed" + (len(block) + 2).to_bytes(2) + block
    assert "card number" in refusal(jpeg[:2] + segment + jpeg[2:], "photo.jpg")


def test_a_pictures_own_words_are_looked_into() -> None:
    exif = Image.Exif()
    exif[0x010E] = CARD
    out = io.BytesIO()
    Image.new("RGB", (40, 20)).save(out, "JPEG", exif=exif)
    assert "card number" in refusal(out.getvalue(), "photo.jpg")


def test_words_behind_the_picture_itself_are_looked_into() -> None:
    end = PNG.rindex(b"IEND") - 4
    for kind, body in (
        (b"tEXt", b"Comment\0" + CARD.encode()),
        (b"zTXt", b"Comment\0\0" + zlib.compress(CARD.encode())),
        (b"iTXt", b"Comment\0\1\0en\0\0" + zlib.compress(CARD.encode())),
    ):
        chunk = len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)
        assert "card number" in refusal(PNG[:end] + chunk + PNG[end:], "map.png")
    assert refusal(PNG, "map.png") == ""


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xd8\xff\xe0 4111 1111 1111 1111", "can't be read to its end"),
        (PNG[:20], "can't be read to its end"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "can't be read to its end"),
        (PNG.replace((40).to_bytes(4) + (20).to_bytes(4), (60_000).to_bytes(4) * 2), "can't be read to its end"),
        (_enlarged(PNG), "more than can be looked through"),
    ],
)
def test_a_picture_that_can_not_be_opened_is_refused(content: bytes, why: str) -> None:
    assert why in refusal(content, "photo")


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("Name,Card,Expires\nJane Roe,4111111111111111,12/28\n", False),
        ("Hotel desk asks again. Visa No.4111 1111 1111 1111, exp. 12/28.", False),
        ("deposit 12.50,378282246310005,paid", False),
        ("Name;Card\nJane Roe;4111111111111111;12/28", False),
        ("Name,E-ticket\nJane Roe,2202345678908\nJohn Roe,0012345678903", True),
        ("Place,Latitude\nNice,43.7101728571428\nconfidence,0.4111111111111111", True),
    ],
)
def test_lists_are_read_as_fields_are(text: str, taken: bool) -> None:
    assert (refusal(text.encode(), "list.csv") == "") is taken


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be"])
@given(card=cards(), name=st.sampled_from(["note.txt", "list.csv"]), before=st.text("Ünï 名 \t\n", max_size=8))
@settings(max_examples=25, deadline=None)
def test_a_unicode_text_of_windows_is_read_as_it_is_shown(
    mark: str, card: tuple[Brand, str], name: str, before: str
) -> None:
    whole = f"\ufeff{before}Card {' '.join(grouped(*card))}\r\n"
    assert "card number" in refusal(whole.encode(mark), name)
    assert refusal(f"\ufeff{before}Room 412\r\n".encode(mark), name) == ""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_hides_behind_a_picture_is_found(kind: str) -> None:
    shown = picture(kind)
    assert refusal(shown, "photo") == ""
    assert "archive" in refusal(shown + packed({"a.txt": "x"}), "photo")
    assert "archive" in refusal(shown + pdf(), "photo")
    assert "card number" in refusal(shown + CARD.encode(), "photo")


def test_a_folded_line_of_a_calendar_is_read_as_one() -> None:
    assert "card number" in refusal(b"BEGIN:VCALENDAR\r\nNOTE:4111 1111 11\r\n 11 1111\r\n", "x.ics")
    assert "card number" in refusal(b"BEGIN:VCALENDAR\r\nNOTE:4111\\, 1111\\, 1111\\, 1111\r\n", "x.ics")
