"""What a printed sheet says: the agency's letterhead, a title, and blocks below it. The press sets it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from chassis.paper import faces, press
from chassis.paper.letterhead import Letterhead
from chassis.web.colour import DEFAULT_ACCENT, accent_for

Block = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A sheet as it is set. `made_at` is the moment that the PDF bears, aware: the same sheet gives the same bytes.

    `subject` is what a copy says it is to programs, below `title`.
    """

    head: Letterhead
    title: str
    footer: str
    made_at: datetime
    blocks: tuple[Block, ...]
    subject: str = ""


def headline(text: str) -> Block:
    """What the sheet is about, large and in colour: the amount."""
    return {"kind": "headline", "text": text}


def rule() -> Block:
    """A thin line over the full width."""
    return {"kind": "rule"}


def title(text: str) -> Block:
    """Begins a part as large as the sheet's own title."""
    return {"kind": "title", "text": text}


def heading(text: str) -> Block:
    """Begins a part; never stands alone at the end of a page."""
    return {"kind": "heading", "text": text}


def say(text: str) -> Block:
    """Paragraphs, as they were written."""
    return {"kind": "say", "text": text}


def strong(text: str) -> Block:
    """Paragraphs that must not be missed."""
    return {"kind": "strong", "text": text}


def quiet(text: str) -> Block:
    """Paragraphs of lesser weight."""
    return {"kind": "quiet", "text": text}


def fact(label: str, text: str) -> Block:
    """A label and its value beside it."""
    return {"kind": "fact", "label": label, "text": text}


def facts(*pairs: tuple[str, str]) -> tuple[Block, ...]:
    """Facts one below the other; nothing for an empty value."""
    return tuple(fact(label, text) for label, text in pairs if text)


def page() -> Block:
    """The next page begins here."""
    return {"kind": "page"}


def typed_signature(name: str, how: str) -> Block:
    """A name that signs, as if by hand, and below the line who and how."""
    return {"kind": "typed", "name": name, "how": how}


def drawn_signature(png: bytes, name: str, how: str) -> Block:
    """A drawing that signs, a PNG, and below the line who and how."""
    return {"kind": "drawn", "png": list(png), "alt": f"Signature drawn by {name}", "name": name, "how": how}


def blank(label: str, text: str = "") -> Block:
    """A line to be filled in by hand, or with a text on it already, and below it what belongs there."""
    return {"kind": "blank", "label": label, "text": text}


def pdf(sheet: Sheet) -> bytes:
    """The sheet as PDF bytes."""
    made_at = sheet.made_at.astimezone(UTC)
    moment = ("year", "month", "day", "hour", "minute", "second")
    text = "".join(texts_of(sheet))
    said: dict[str, object] = {
        "title": _named(faces.printable(sheet.title)),
        "subject": faces.printable(sheet.subject),
        "footer": faces.printable(sheet.footer),
        "letterhead": {"name": faces.printable(sheet.head.name), "contact": faces.printable(sheet.head.contact)},
        "accent": accent_for(sheet.head.accent or DEFAULT_ACCENT, dark=False).accent,
        "paper": sheet.head.paper.value,
        "made_at": {part: getattr(made_at, part) for part in moment},
        "faces": faces.families(text),
        "blocks": [_printable(block) for block in sheet.blocks],
    }
    return press.pdf(said, timestamp=int(made_at.timestamp()), folders=faces.folders(text))


def texts_of(sheet: Sheet) -> list[str]:
    """Every text that is printed."""
    found = [sheet.title, sheet.footer, sheet.head.name, sheet.head.contact]
    for block in sheet.blocks:
        found += [value for key, value in block.items() if key != "kind" and isinstance(value, str)]
    return found


def _printable(block: Block) -> Block:
    made = {
        key: faces.printable(value) if isinstance(value, str) and key != "kind" else value
        for key, value in block.items()
    }
    return made | {"text": _named(str(made["text"]))} if made["kind"] in {"title", "heading"} else made


def _named(text: str) -> str:
    """A title that readers aloud can say: PDF/UA has no empty ones."""
    return text if text.strip("\u200b\u200c\u200d \n\u00a0") else "–"
