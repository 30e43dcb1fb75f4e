"""Whose paper it is, and what size it has. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class PaperSize(StrEnum):
    """What the agency prints on, by typst's names."""

    LETTER = "us-letter"
    A4 = "a4"


def paper_for(chosen: str, time_zone: str) -> PaperSize:
    """What the agency has chosen ("us-letter", "a4"); of one that never chose, Letter where most printers hold Letter,
    A4 elsewhere."""
    if chosen in set(PaperSize):
        return PaperSize(chosen)
    return PaperSize.LETTER if time_zone.startswith("America/") else PaperSize.A4


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """Whose paper it is. `accent` is "#RRGGBB" or empty."""

    name: str
    contact: str
    accent: str
    paper: PaperSize


def letterhead_of(*, name: str, phone: str, email: str, accent: str, paper: str, time_zone: str) -> Letterhead:
    """An agency's paper. What it has not said is empty; for `paper` and `time_zone` see `paper_for`."""
    contact = " · ".join(part for part in (phone, email) if part)
    return Letterhead(name=name, contact=contact, accent=accent, paper=paper_for(paper, time_zone))
