"""The schedule's part of other rooms' pages: `schedule/schedule.html`, and where the money of several trips stands."""

from collections.abc import Sequence

from flask import Blueprint

from chassis.money import Money
from services.crm.core.actor import Actor
from services.crm.core.panels import Panel
from services.crm.paying.parts import paying
from services.crm.paying.schedule.service import BookingSchedule
from services.crm.sales.clients.service import ClientDetail
from services.crm.sales.groups.rules import Group
from services.crm.trips.bookings.service import BookingDetail, BookingFilter, BookingStatus
from services.crm.trips.parts import trips

blueprint = Blueprint("schedule", __name__, template_folder="templates")


def group_panel(actor: Actor, group: Group, members: Sequence[ClientDetail]) -> Panel:
    """The last changed trips of a company's or household's members, each with what is left to pay, and the sums."""
    wanted = BookingFilter(client_ids=tuple(member.id for member in members))
    page = trips().bookings.list_page(actor, wanted, 1) if members else None
    bookings = page.items if page else []
    rows = list(zip(bookings, paying().schedule.of_many(bookings), strict=True))
    more = page is not None and page.last > 1
    return Panel(
        template="schedule/group_panel.html", data={"group": group, "rows": rows, "sums": sums(rows), "more": more}
    )


def sums(rows: Sequence[tuple[BookingDetail, BookingSchedule]]) -> list[tuple[Money, Money, Money]]:
    """Price, paid and left of all trips that go on, by currency; what was paid on cancelled ones counts as paid."""
    added: dict[str, list[int]] = {}
    for booking, schedule in rows:
        of = added.setdefault(schedule.currency, [0, 0, 0])
        of[1] += schedule.paid.minor
        if booking.status is not BookingStatus.CANCELLED:
            of[0] += schedule.price.minor
            of[2] += schedule.due.minor
    return [
        (Money(minor=price, currency=code), Money(minor=paid, currency=code), Money(minor=left, currency=code))
        for code, (price, paid, left) in sorted(added.items())
    ]
