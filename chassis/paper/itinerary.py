"""A trip on paper: who travels, what happens when, whom to call. The same sheet for agents and clients."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chassis.itinerary import Day, Happening, Leg, Plan, clock
from chassis.moments import written_day
from chassis.paper import sheet
from chassis.paper.letterhead import Letterhead
from chassis.paper.sheet import Sheet

_LONGEST_FOOTER = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Itinerary:
    """Everything the sheet says. `changed_at` is when the trip last changed: the same trip gives the same bytes."""

    head: Letterhead
    title: str
    dates: str
    travelers: tuple[str, ...]
    advisor: str
    plan: Plan
    cancelled: bool
    changed_at: datetime
    # What the agency itself charges for the trip, and for what; empty = nothing.
    fee: str = ""
    # What the whole trip costs; empty where prices are not shown.
    total: str = ""
    # The titles of the documents that are shared with the travelers.
    documents: tuple[str, ...] = ()


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
    plan = itinerary.plan
    blocks = [sheet.headline(itinerary.dates)] if itinerary.dates else []
    if itinerary.cancelled:
        blocks.append(sheet.strong("This trip was cancelled."))
    blocks.append(sheet.rule())
    blocks += sheet.facts(
        ("Travelers", "\n".join(itinerary.travelers)),
        ("Route", " – ".join(plan.route)),
        ("Your advisor", itinerary.advisor),
        ("Service fee", itinerary.fee),
        ("Trip price", itinerary.total),
        ("Documents", "\n".join(itinerary.documents)),
    )
    for day in plan.days:
        blocks += _day(day)
    blocks += _apart("The whole time", plan.along)
    blocks += _apart("Days to follow", plan.undated)
    if plan.is_empty:
        blocks.append(sheet.quiet("Nothing is booked yet."))
    blocks.append(sheet.quiet("Days and times are those of the place. Check times with the supplier before you leave."))
    return blocks


def _day(day: Day) -> Iterable[sheet.Block]:
    yield sheet.heading(f"{day.label}: {day.words}")
    for each in day.happenings:
        yield sheet.fact(clock(each.at) if each.at else each.leg.kind_word, "\n".join(_lines(each)))
    if day.tonight:
        yield sheet.fact("Night", "\n".join(day.tonight))
    elif not day.happenings:
        yield sheet.quiet("Nothing is planned.")


def _lines(each: Happening) -> list[str]:
    return [each.title, *each.lines, *(_told(each.leg) if each.told else ())]


def _apart(heading: str, legs: tuple[Leg, ...]) -> Iterable[sheet.Block]:
    if legs:
        yield sheet.heading(heading)
    for leg in legs:
        days = [written_day(day) for day in (leg.begins_on, leg.ends_on) if day is not None]
        yield sheet.fact(leg.kind_word, "\n".join([leg.supplier, *([" – ".join(days)] if days else []), *_told(leg)]))


def _told(leg: Leg) -> list[str]:
    """What is told of a part once."""
    said = (
        leg.text,
        f"Confirmation {leg.confirmation}" if leg.confirmation else "",
        f"Price {leg.price}" if leg.price else "",
        leg.notes,
    )
    return [line for line in said if line]
