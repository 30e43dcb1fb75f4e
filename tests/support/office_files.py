"""Small files of the kinds that people upload."""

import io
import zipfile
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from PIL import Image

from chassis.paper import sheet
from chassis.paper.letterhead import Letterhead, PaperSize
from chassis.paper.sheet import Sheet


def picture(kind: str, **saved: Any) -> bytes:  # Any: as Pillow's save
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "teal").save(out, kind, **saved)
    return out.getvalue()


PNG, JPEG = picture("PNG"), picture("JPEG")


def pdf(text: str = "Boarding pass") -> bytes:
    """A PDF with a line of text."""
    head = Letterhead(name="Aurora Cruises", contact="", accent="", paper=PaperSize.A4)
    made_at = datetime(2026, 11, 21, tzinfo=UTC)
    return sheet.pdf(Sheet(head=head, title="Paper", footer="", made_at=made_at, blocks=(sheet.say(text),)))


def pdf_of_pages(count: int) -> bytes:
    """A PDF of so many pages."""
    head = Letterhead(name="Aurora Cruises", contact="", accent="", paper=PaperSize.A4)
    blocks = [sheet.say("One"), *chain.from_iterable((sheet.page(), sheet.say("More")) for _ in range(count - 1))]
    made_at = datetime(2026, 11, 21, tzinfo=UTC)
    return sheet.pdf(Sheet(head=head, title="Paper", footer="", made_at=made_at, blocks=tuple(blocks)))


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
