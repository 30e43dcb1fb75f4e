"""A printed sheet: the agency's name and colour on top, a title, labelled facts, tables. For itineraries and receipts.

The same content gives the same bytes: there is no randomness and no other clock than `made_at`.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos

from chassis.paper import fonts
from chassis.web.colour import DEFAULT_ACCENT, accent_for, parse_hex

Colour = tuple[int, int, int]
_MARGIN = 18.0
_INK: Colour = (24, 33, 43)
_QUIET: Colour = (92, 105, 120)
_LINE: Colour = (214, 220, 227)
_LABEL_WIDTH = 44.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """Whose paper it is. `accent` is "#RRGGBB" or empty; `time_zone` an IANA name, which tells the paper's format."""

    name: str
    contact: str
    accent: str
    time_zone: str


def paper_format(time_zone: str) -> str:
    """Letter where printers hold Letter, A4 elsewhere."""
    return "Letter" if time_zone.startswith("America/") else "A4"


class Sheet(FPDF):
    """Opens with letterhead and title; fill it from the top, then `finish`. `text` is whatever will be printed, for
    choosing the fonts."""

    def __init__(self, head: Letterhead, *, title: str, footer: str, made_at: datetime, text: str) -> None:
        super().__init__(format=paper_format(head.time_zone))
        # fpdf2 warns of each glyph no font has; the box it draws says so well enough, and a name is no log entry.
        logging.getLogger("fpdf").setLevel(logging.ERROR)
        self._accent: Colour = parse_hex(accent_for(head.accent or DEFAULT_ACCENT, dark=False).accent)
        self._footer = footer
        self.set_margins(_MARGIN, _MARGIN)
        self.set_auto_page_break(True, margin=22)
        self.set_lang("en")
        self.set_title(title)
        self.set_author(head.name)
        self.set_creator("Wayvault")
        self.set_producer("Wayvault")
        self.set_creation_date(made_at)
        fonts.install(self, f"{head.name}{head.contact}{title}{footer}{text}")
        self.add_page()
        self.gap(2)
        self.say(head.name, size=11, style="B", colour=self._accent)
        if head.contact:
            self.say(head.contact, size=9, colour=_QUIET)
        self.gap(6)
        self.say(title, size=18, style="B")

    def header(self) -> None:
        """A thin line in the agency's colour."""
        self.set_fill_color(*self._accent)
        self.rect(0, 0, self.w, 3, style="F")

    def footer(self) -> None:
        """What the sheet is, and the page."""
        self.set_y(-14)
        self.set_font(fonts.BODY, size=8)
        self.set_text_color(*_QUIET)
        self.cell(self.epw * 0.75, 5, self._footer)
        self.cell(self.epw * 0.25, 5, f"Page {self.page_no()} of {{nb}}", align=Align.R)

    def gap(self, height: float) -> None:
        """Empty space, in millimetres."""
        self.set_y(self.get_y() + height)

    def rule(self) -> None:
        """A thin line over the full width."""
        self.set_draw_color(*_LINE)
        self.set_line_width(0.2)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())

    def say(self, text: str, *, size: float = 10, style: str = "", colour: Colour = _INK) -> None:
        """A paragraph over the full width; words longer than the line are broken, never cut off."""
        self.set_font(fonts.BODY, style=style, size=size)
        self.set_text_color(*colour)
        self.multi_cell(0, size * 0.5, text, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def quiet(self, text: str) -> None:
        """A paragraph of lesser weight."""
        self.say(text, size=9, colour=_QUIET)

    def headline(self, text: str) -> None:
        """What the sheet is about, large and in colour: the amount."""
        self.gap(2)
        self.say(text, size=22, style="B", colour=self._accent)

    def heading(self, text: str) -> None:
        """Begins a part; goes to the next page rather than standing alone at the end of one."""
        if self.will_page_break(26):
            self.add_page()
        self.gap(6)
        self.say(text, size=12, style="B")
        self.gap(1)

    def fact(self, label: str, text: str) -> None:
        """A label and its value beside it; nothing for an empty value."""
        if not text:
            return
        if self.will_page_break(12):
            self.add_page()
        top = self.get_y()
        self.set_font(fonts.BODY, size=9.5)
        self.set_text_color(*_QUIET)
        self.multi_cell(_LABEL_WIDTH, 5, label, align=Align.L, new_x=XPos.RIGHT, new_y=YPos.TOP)
        self.set_xy(self.l_margin + _LABEL_WIDTH, top)
        self.set_text_color(*_INK)
        self.multi_cell(0, 5, text, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.gap(0.8)

    def facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Facts one below the other."""
        for label, text in pairs:
            self.fact(label, text)

    def finish(self) -> bytes:
        """The sheet as PDF bytes."""
        return bytes(self.output())
