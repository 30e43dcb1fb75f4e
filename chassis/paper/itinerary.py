"""A trip on paper: who travels, what happens when, whom to call. The same sheet for agents and clients."""

from dataclasses import dataclass
from datetime import datetime

from chassis.paper import sheet
from chassis.paper.letterhead import Letterhead
from chassis.paper.sheet import Sheet

_LONGEST_FOOTER = 90


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
    # What the agency itself charges for the trip, and for what; empty = nothing.
    fee: str = ""


def pdf(itinerary: Itinerary) -> bytes:
    """The itinerary as PDF bytes."""
    footer = f"{itinerary.head.name}: {itinerary.title}"
    return sheet.pdf(
        Sheet(
            head=itinerary.head,
            title=itinerary.title,
            footer=footer if len(footer) < _LONGEST_FOOTER else f"{footer[: _LONGEST_FOOTER - 2]}…",
            made_at=itinerary.changed_at,
            blocks=tuple(_blocks(itinerary)),
        )
    )


def _blocks(itinerary: Itinerary) -> list[sheet.Block]:
    blocks = [sheet.headline(itinerary.dates)] if itinerary.dates else []
    if itinerary.cancelled:
        blocks.append(sheet.strong("This trip was cancelled."))
    blocks.append(sheet.rule())
    blocks += sheet.facts(
        ("Travelers", "\n".join(itinerary.travelers)),
        ("Your advisor", itinerary.advisor),
        ("Service fee", itinerary.fee),
    )
    for stop in itinerary.stops:
        blocks.append(sheet.heading(f"{stop.kind}: {stop.supplier}"))
        blocks += sheet.facts(("Dates", stop.dates), ("What", stop.text), ("Confirmation", stop.confirmation))
    if not itinerary.stops:
        blocks.append(sheet.quiet("Nothing is booked yet."))
    blocks.append(sheet.quiet("Dates are those of the place. Check times with the supplier before you leave."))
    return blocks
