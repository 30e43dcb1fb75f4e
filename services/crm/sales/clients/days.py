"""Birthdays and other days that come back every year, for the calendar."""

from calendar import isleap
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import Session

from chassis.typed.names import full_name
from services.crm.core.day_queries import AnySelect, first_of_each_day
from services.crm.core.days import Asked, DayKind, DayLine, Lines
from services.crm.sales.clients.models import ClientRow, FamilyMemberRow, OccasionRow
from services.crm.sales.clients.rules import OccasionKind, month_day

_FEBRUARY_29: Final = 229


def yearly_days(session: Session, asked: Asked) -> Lines:
    """Clients' and their families' birthdays, and other occasions. 29 February is kept on 1 March in other years."""
    days = _by_month_day(asked)
    every = union_all(
        _birthdays(asked, list(days)), _family(asked, list(days)), _occasions(asked, list(days))
    ).subquery()
    # Found and ordered by an index alone; only those that are shown are read.
    query = select(every).order_by(every.c.sort_key, every.c.id, every.c.part_id)
    rows = first_of_each_day(session, query, every.c.month_day, asked.most)
    shown = select(ClientRow.id, ClientRow.agent_id, ClientRow.first_name, ClientRow.last_name)
    clients = {each.id: each for each in session.execute(shown.where(ClientRow.id.in_({row.id for row in rows})))}
    # Two days of the calendar are one day of a year that has no 29 February.
    counts: Counter[date] = Counter()
    for month_and_day, times in {row.month_day: row.times for row in rows}.items():
        counts[days[month_and_day]] += times
    found: dict[date, list[DayLine]] = defaultdict(list)
    for row in sorted(rows, key=lambda each: (each.sort_key, each.id, each.part_id)):
        found[days[row.month_day]].append(_line(days[row.month_day], row, clients[row.id]))
    return Lines(lines=[line for on in sorted(found) for line in found[on][: asked.most]], counts=counts)


def _by_month_day(asked: Asked) -> dict[int, date]:
    """Which of the days each month and day is."""
    span = (asked.last - asked.first).days
    days = [asked.first + timedelta(days=number) for number in range(span + 1)]
    found = {month_day(day): day for day in days}
    for day in days:
        if (day.month, day.day) == (3, 1) and not isleap(day.year):
            found[_FEBRUARY_29] = day
    return found


def _birthdays(asked: Asked, wanted: list[int]) -> AnySelect:  # Any: the columns that all three have
    return select(
        ClientRow.id,
        ClientRow.sort_key,
        literal("").label("about"),
        literal("").label("part_id"),
        literal(OccasionKind.BIRTHDAY.value).label("kind"),
        ClientRow.birthday_month_day.label("month_day"),
    ).where(
        ClientRow.agent_id.in_(asked.agent_ids),
        ClientRow.merged_into_id.is_(None),
        ClientRow.birthday_month_day.in_(wanted),
    )


def _family(asked: Asked, wanted: list[int]) -> AnySelect:
    return (
        select(
            ClientRow.id,
            ClientRow.sort_key,
            FamilyMemberRow.first_name.label("about"),
            FamilyMemberRow.id.label("part_id"),
            literal(OccasionKind.BIRTHDAY.value).label("kind"),
            FamilyMemberRow.born_month_day.label("month_day"),
        )
        .join(ClientRow, ClientRow.id == FamilyMemberRow.client_id)
        .where(FamilyMemberRow.agent_id.in_(asked.agent_ids), FamilyMemberRow.born_month_day.in_(wanted))
    )


def _occasions(asked: Asked, wanted: list[int]) -> AnySelect:
    return (
        select(
            ClientRow.id,
            ClientRow.sort_key,
            OccasionRow.label.label("about"),
            OccasionRow.id.label("part_id"),
            OccasionRow.kind,
            OccasionRow.month_day.label("month_day"),
        )
        .join(ClientRow, ClientRow.id == OccasionRow.client_id)
        .where(OccasionRow.agent_id.in_(asked.agent_ids), OccasionRow.month_day.in_(wanted))
    )


def _line(on: date, row: Any, whose: Any) -> DayLine:  # Any: a row of the three, and of its client
    client = full_name(whose.first_name, whose.last_name)
    birthday = row.kind == OccasionKind.BIRTHDAY
    about = row.about or client
    return DayLine(
        on=on,
        kind=DayKind.BIRTHDAY,
        thing_id=row.id,
        title=f"Birthday of {about}" if birthday else f"{row.about or 'Anniversary'}, {client}",
        detail=client if birthday and row.about else "",
        agent_id=whose.agent_id,
        part_id=row.part_id,
    )
