"""Small files of the kinds that people upload."""

import io
import zipfile
from datetime import UTC, datetime

from chassis.paper import sheet
from chassis.paper.letterhead import Letterhead, PaperSize
from chassis.paper.sheet import Sheet

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 32


def pdf(text: str = "Boarding pass") -> bytes:
    """A PDF with a line of text."""
    head = Letterhead(name="Aurora Cruises", contact="", accent="", paper=PaperSize.A4)
    made_at = datetime(2026, 11, 21, tzinfo=UTC)
    return sheet.pdf(Sheet(head=head, title="Paper", footer="", made_at=made_at, blocks=(sheet.say(text),)))


def packed(entries: dict[str, str | bytes]) -> bytes:
    """A zip with these entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def docx(text: str = "Your voucher") -> bytes:
    """A Word document with a paragraph."""
    body = f"<w:document><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>"
    return packed({"[Content_Types].xml": "<Types/>", "word/document.xml": body})
