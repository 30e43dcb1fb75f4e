"""Rows of the bookings room to values and back."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from chassis import itinerary
from chassis.former_days import CalendarDay, pack, still_gone, uid_of, unpack
from chassis.ids import new_id
from chassis.money import Money
from chassis.typed.names import text_of, title_key
from services.crm.core.search import set_words
from services.crm.sales.clients.service import ClientDetail
from services.crm.trips.bookings.models import NO_DEPARTURE, BookingRow, BookingWordRow, InstalmentRow, SegmentRow
from services.crm.trips.bookings.rules import (
    BookingData,
    BookingDetail,
    BookingLine,
    BookingStatus,
    Cancellation,
    DueKind,
    Instalment,
    Passenger,
    SegmentData,
    SegmentDetail,
    SegmentKind,
    in_time,
    search_words,
)


def booking_detail(row: BookingRow, clients: Mapping[str, ClientDetail], agent_name: str) -> BookingDetail:
    """The booking with its parts; `clients` holds its passengers by id."""
    passengers = tuple(
        _passenger(clients[seat.client_id], is_lead=position == 0) for position, seat in enumerate(row.passengers)
    )
    return _detail(row, passengers, agent_name)


def booking_line(row: BookingRow) -> BookingLine:
    """The booking without its people."""
    whole = _detail(row, (), "")
    return BookingLine(
        id=row.id,
        title=row.title,
        status=whole.status,
        begins_on=whole.begins_on,
        ends_on=whole.ends_on,
        total=whole.total,
    )


def _detail(row: BookingRow, passengers: tuple[Passenger, ...], agent_name: str) -> BookingDetail:
    return BookingDetail(
        id=row.id,
        agency_id=row.agency_id,
        agent_id=row.agent_id,
        agent_name=agent_name,
        title=row.title,
        status=BookingStatus(row.status),
        currency=row.currency,
        service_fee=_money(row.service_fee_minor, row.currency),
        service_fee_description=row.service_fee_description,
        notes=row.notes,
        segments=tuple(segment_detail(segment, row.currency) for segment in row.segments),
        passengers=passengers,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
        former_days=unpack(row.former_days),
    )


def calendar_days(row: BookingRow) -> list[CalendarDay]:
    """What stands on the booking's calendar now: each segment's days, and the days by which something is due."""
    days = []
    for segment in (segment_detail(part, row.currency) for part in row.segments):
        name, begins_on = segment.data.supplier_name, segment.data.begins_on
        if begins_on is not None:
            ends_on = segment.data.ends_on or begins_on
            days.append(CalendarDay(uid=uid_of(segment.id), begins_on=begins_on, ends_on=ends_on, title=name))
        days += [
            CalendarDay(uid=uid_of(due.id), begins_on=day, ends_on=day, title=f"Payment to {name}")
            for due in segment.dues
            if (day := due.due_on) is not None
        ]
    return days


def note_former_days(row: BookingRow, before: Iterable[CalendarDay]) -> None:
    """Keeps what left the booking's calendar by the change from `before` to how it is now."""
    gone = still_gone(unpack(row.former_days), before, calendar_days(row))
    row.former_days = pack(gone) or None


def segment_detail(row: SegmentRow, currency: str) -> SegmentDetail:
    number, notes, starts, ends = itinerary.unpack(row.travel)
    data = SegmentData(
        supplier_name=row.supplier_name,
        kind=SegmentKind(row.kind),
        confirmation_number=row.confirmation_number,
        description=row.description,
        begins_on=row.begins_on,
        ends_on=row.ends_on,
        price=_money(row.price_minor, currency),
        deposit=_money(row.deposit_minor, currency),
        deposit_due_on=row.deposit_due_on,
        final=_money(row.final_minor, currency),
        final_due_on=row.final_due_on,
        commission=_money(row.commission_minor, currency),
        instalments=tuple(
            Instalment(id=each.id, amount=Money(minor=each.amount_minor, currency=currency), due_on=each.due_on)
            for each in row.instalments
            if each.kind == DueKind.REGULAR
        ),
        number=number,
        notes=notes,
        starts=starts,
        ends=ends,
    )
    return SegmentDetail(id=row.id, booking_id=row.booking_id, data=data, cancellation=_cancellation(row, currency))


def _cancellation(row: SegmentRow, currency: str) -> Cancellation | None:
    if row.cancelled_at is None:
        return None
    return Cancellation(
        at=row.cancelled_at,
        reason=row.cancel_reason,
        penalty=_money(row.penalty_minor, currency),
        refund_due=_money(row.refund_due_minor, currency),
    )


def apply_booking(row: BookingRow, data: BookingData) -> None:
    """Writes what was entered, all but the passengers."""
    row.title = data.title
    row.status = data.status.value
    row.currency = data.currency
    row.service_fee_minor = _minor(data.service_fee)
    row.service_fee_description = data.service_fee_description
    row.notes = data.notes


def apply_segment(row: SegmentRow, data: SegmentData) -> None:
    """Writes what was entered."""
    row.supplier_name = data.supplier_name
    row.kind = data.kind.value
    row.confirmation_number = data.confirmation_number
    row.description = data.description
    row.begins_on = data.begins_on
    row.ends_on = data.ends_on
    row.price_minor = _minor(data.price)
    row.deposit_minor = _minor(data.deposit)
    row.deposit_due_on = data.deposit_due_on
    row.final_minor = _minor(data.final)
    row.final_due_on = data.final_due_on
    row.commission_minor = _minor(data.commission)
    row.travel = itinerary.pack(data.number, data.notes, data.starts, data.ends) or None


def place_in_time(row: SegmentRow) -> tuple[date, bool]:
    """What the parts of a trip are ordered by (rules.place_in_time)."""
    return in_time(SegmentKind(row.kind), row.begins_on, row.ends_on)


def apply_schedule(row: SegmentRow, data: SegmentData) -> None:
    """Writes every due amount, those that stay under their own ids. The row has its id and its booking's."""
    kept = {each.id: each for each in row.instalments}
    known = [each if each.id in kept else replace(each, id=new_id("due")) for each in data.instalments]
    whole = SegmentDetail(id=row.id, booking_id=row.booking_id, data=replace(data, instalments=tuple(known)))
    rows, until_then = [], 0
    for position, due in enumerate(whole.scheduled):
        until_then += due.amount.minor
        each = kept.get(due.id) or InstalmentRow(id=due.id)
        each.booking_id, each.kind, each.position = row.booking_id, due.kind.value, position
        each.amount_minor, each.due_on, each.until_then_minor = due.amount.minor, due.due_on, until_then
        each.active = row.cancelled_at is None
        rows.append(each)
    row.instalments[:] = rows


def apply_cancellation(row: SegmentRow, cancelled: Cancellation | None) -> None:
    """Cancels a segment, or takes it up again as it was; no commission is expected of it meanwhile."""
    if cancelled is not None and row.cancelled_at is None:
        row.kept_commission_minor, row.commission_minor = row.commission_minor, None
    elif cancelled is None and row.cancelled_at is not None:
        row.kept_commission_minor, row.commission_minor = None, row.kept_commission_minor
    row.cancelled_at = cancelled.at if cancelled else None
    row.cancel_reason = cancelled.reason if cancelled else ""
    row.penalty_minor = _minor(cancelled.penalty) if cancelled else None
    row.refund_due_minor = _minor(cancelled.refund_due) if cancelled else None
    for each in row.instalments:
        each.active = cancelled is None


def note_what_lists_show(row: BookingRow, passengers: Iterable[str]) -> None:
    """Keeps on the booking what lists are ordered and searched by; `passengers` are their names."""
    active = [part for part in row.segments if part.cancelled_at is None] or row.segments
    row.departs_on = min((part.begins_on for part in active if part.begins_on), default=NO_DEPARTURE)
    row.title_folded = title_key(row.title)
    suppliers = [(part.supplier_name, part.confirmation_number) for part in row.segments]
    words = search_words(row.title, suppliers, passengers)
    if row.search_text != (text := text_of(words)):
        row.search_text = text
        owner = {"booking_id": row.id, "agency_id": row.agency_id, "agent_id": row.agent_id}
        set_words(row.words, words, BookingWordRow.word, BookingWordRow, **owner)


def _passenger(client: ClientDetail, *, is_lead: bool) -> Passenger:
    return Passenger(
        client_id=client.id,
        first_name=client.data.first_name,
        last_name=client.data.last_name,
        email=client.data.email,
        phone=client.data.phone,
        is_lead=is_lead,
    )


def _money(minor: int | None, currency: str) -> Money | None:
    return None if minor is None else Money(minor=minor, currency=currency)


def _minor(amount: Money | None) -> int | None:
    return None if amount is None else amount.minor
