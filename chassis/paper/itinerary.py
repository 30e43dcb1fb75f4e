"""A trip on paper: who travels, what happens when, whom to call. The same sheet for agents and clients."""

from dataclasses import dataclass
from datetime import datetime

from chassis.paper.sheet import Letterhead, Sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One supplier's part. Texts are ready to print; empty ones are left out."""

    kind: str
    supplier: str
    dates: str
    text: str
    confirmation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Itinerary:
    """Everything the sheet says. `changed_at` is when the trip last changed: the same trip gives the same bytes."""

    head: Letterhead
    title: str
    dates: str
    travelers: tuple[str, ...]
    advisor: str
    stops: tuple[Stop, ...]
    cancelled: bool
    changed_at: datetime

    def all_text(self) -> str:
        """Every character that is printed, for choosing the fonts."""
        parts = [self.title, self.dates, self.advisor, *self.travelers]
        for stop in self.stops:
            parts += [stop.kind, stop.supplier, stop.dates, stop.text, stop.confirmation]
        return "".join(parts)


def pdf(itinerary: Itinerary) -> bytes:
    """The itinerary as PDF bytes."""
    footer = f"{itinerary.head.name}: {itinerary.title}"
    sheet = Sheet(
        itinerary.head,
        title=itinerary.title,
        footer=footer if len(footer) < 90 else f"{footer[:88]}…",
        made_at=itinerary.changed_at,
        text=itinerary.all_text(),
    )
    if itinerary.dates:
        sheet.headline(itinerary.dates)
    if itinerary.cancelled:
        sheet.gap(2)
        sheet.say("This trip was cancelled.", style="B")
    sheet.gap(3)
    sheet.rule()
    sheet.gap(3)
    sheet.fact("Travelers", "\n".join(itinerary.travelers))
    sheet.fact("Your advisor", itinerary.advisor)
    for stop in itinerary.stops:
        sheet.heading(f"{stop.kind}: {stop.supplier}")
        sheet.facts((("Dates", stop.dates), ("What", stop.text), ("Confirmation", stop.confirmation)))
    if not itinerary.stops:
        sheet.gap(4)
        sheet.quiet("Nothing is booked yet.")
    sheet.gap(6)
    sheet.quiet("Dates are those of the place. Check times with the supplier before you leave.")
    return sheet.finish()
