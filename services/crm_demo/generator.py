"""Invented clients and trips in any number: the same seed makes the same ones. Nothing here touches a database.

Names, streets and companies are made up; domains are those set aside for examples (RFC 2606), telephone numbers those
set aside for fiction.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from chassis.money import Money
from services.crm.sales.clients.rules import ClientData, FamilyMember, Occasion, OccasionKind, Relation
from services.crm.trips.bookings.rules import BookingStatus, SegmentData, SegmentKind
from services.crm_demo.word_lists import (
    AIRLINES,
    CRUISES,
    FIRST,
    HOTELS,
    LAST,
    NOTES,
    PLACES,
    PLACES_TO_GO,
    STREETS,
    TASKS,
    TOURS,
)

# Days before a trip begins.
_LATEST_DEPOSIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTrip:
    """A trip with what was paid of it: for each segment its minor units."""

    title: str
    status: BookingStatus
    currency: str
    segments: tuple[SegmentData, ...]
    paid_minor: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTask:
    title: str
    due_on: date | None


class Generator:
    """Makes one thing after another; what it makes depends on the seed and the calls before."""

    def __init__(self, seed: int, today: date) -> None:
        self._random = random.Random(seed)
        self._today = today

    def client(self, number: int) -> ClientData:
        """The `number` makes the e-mail address unique."""
        pick = self._random.choice
        first, last = pick(FIRST), pick(LAST)
        city, region, code, country = pick(PLACES)
        has_mail = self._random.random() > 0.04
        born = self._today - timedelta(days=self._random.randint(22 * 365, 84 * 365))
        return ClientData(
            first_name=first,
            last_name=last,
            email=f"{first}.{last}.{number}@inbox.example".lower() if has_mail else "",
            phone=f"+1 ({self._random.randint(201, 989)}) 555 01{self._random.randint(0, 99):02d}",
            birthday=born if self._random.random() < 0.7 else None,
            street=f"{self._random.randint(1, 940)} {pick(STREETS)} Street",
            city=city,
            region=region,
            postal_code=f"{code}{self._random.randint(10, 99)}",
            country=country,
            notes=pick(NOTES),
        )

    def family(self, last_name: str) -> list[FamilyMember]:
        """Nobody, a partner, or a partner and children."""
        found: list[FamilyMember] = []
        if self._random.random() < 0.4:
            partner = self._random.choice((Relation.SPOUSE, Relation.PARTNER))
            found.append(FamilyMember(first_name=self._random.choice(FIRST), last_name=last_name, relation=partner))
            for _ in range(self._random.choice((0, 0, 1, 2))):
                born = self._today - timedelta(days=self._random.randint(365, 17 * 365))
                name = self._random.choice(FIRST)
                found.append(FamilyMember(first_name=name, last_name=last_name, relation=Relation.CHILD, born_on=born))
        return found

    def occasions(self) -> list[Occasion]:
        """An anniversary for some."""
        if self._random.random() > 0.25:
            return []
        day = self._today - timedelta(days=self._random.randint(365, 40 * 365))
        return [
            Occasion(
                kind=OccasionKind.ANNIVERSARY,
                label="Wedding anniversary",
                first_on=day,
                year_known=self._random.random() < 0.8,
            )
        ]

    def task(self) -> MadeTask:
        """Something to do between ten days ago and a month from now, or some day."""
        due = self._today + timedelta(days=self._random.randint(-10, 30)) if self._random.random() < 0.8 else None
        return MadeTask(title=self._random.choice(TASKS), due_on=due)

    def trip(self, *, past: bool | None = None) -> MadeTrip:
        """A trip between three years ago and eighteen months from now, at any stage."""
        pick, number = self._random.choice, self._random.randint
        if past is None:
            past = self._random.random() < 0.55
        begins = self._today + timedelta(days=number(-1000, -20) if past else number(-6, 540))
        status = self._status(past=past)
        if status is BookingStatus.QUOTE:  # what is only offered is for later, with its deposit still to come
            begins = max(begins, self._today + timedelta(days=number(_LATEST_DEPOSIT + 5, 540)))
        currency = pick(("USD", "USD", "USD", "USD", "EUR", "GBP"))
        segments = [self._main(begins, currency)]
        if self._random.random() < 0.5:
            segments.append(self._flight(begins, currency))
        return MadeTrip(
            title=pick(PLACES_TO_GO),
            status=status,
            currency=currency,
            segments=tuple(segments),
            paid_minor=tuple(self._paid(segment, status) for segment in segments),
        )

    def _paid(self, segment: SegmentData, status: BookingStatus) -> int:
        """What fell due so far, of most; some are late with the last part, some are early with the next."""
        if status in (BookingStatus.QUOTE, BookingStatus.CANCELLED):
            return 0
        dues = [(day, part.minor) for day, part in _parts(segment)]
        over = sum(day <= self._today for day, _ in dues)
        if status is BookingStatus.BOOKED:
            chance = self._random.random()
            over += (chance < 0.15) - (chance > 0.93)
        return sum(minor for _, minor in dues[: max(0, over)])

    def _status(self, *, past: bool) -> BookingStatus:
        chance = self._random.random()
        if past:
            return BookingStatus.TRAVELED if chance < 0.93 else BookingStatus.CANCELLED
        if chance < 0.2:
            return BookingStatus.QUOTE
        return BookingStatus.BOOKED if chance < 0.95 else BookingStatus.CANCELLED

    def _main(self, begins: date, currency: str) -> SegmentData:
        pick, number = self._random.choice, self._random.randint
        kind = pick((SegmentKind.CRUISE, SegmentKind.HOTEL, SegmentKind.TOUR))
        supplier = pick({SegmentKind.CRUISE: CRUISES, SegmentKind.HOTEL: HOTELS, SegmentKind.TOUR: TOURS}[kind])
        nights, price = number(4, 16), number(12, 180) * 100_00
        deposit = price // 5
        return SegmentData(
            supplier_name=supplier,
            kind=kind,
            description=f"{nights} nights for two",
            confirmation_number=f"{supplier[:2].upper()}-{number(100000, 999999)}",
            begins_on=begins,
            ends_on=begins + timedelta(days=nights),
            price=Money(minor=price, currency=currency),
            deposit=Money(minor=deposit, currency=currency),
            deposit_due_on=begins - timedelta(days=number(120, _LATEST_DEPOSIT)),
            final=Money(minor=price - deposit, currency=currency),
            final_due_on=begins - timedelta(days=number(30, 75)),
            commission=Money(minor=price // 10, currency=currency),
        )

    def _flight(self, begins: date, currency: str) -> SegmentData:
        price = self._random.randint(4, 40) * 100_00
        return SegmentData(
            supplier_name=self._random.choice(AIRLINES),
            kind=SegmentKind.FLIGHT,
            description="Return flights, two seats",
            confirmation_number="".join(self._random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=6)),
            begins_on=begins - timedelta(days=1),
            ends_on=begins,
            price=Money(minor=price, currency=currency),
            final=Money(minor=price, currency=currency),
            final_due_on=begins - timedelta(days=self._random.randint(60, 110)),
            commission=Money(minor=price * 3 // 100, currency=currency),
        )


def _parts(segment: SegmentData) -> list[tuple[date, Money]]:
    """What is to be paid of a segment, and when."""
    pairs = ((segment.deposit_due_on, segment.deposit), (segment.final_due_on, segment.final))
    return [(day, part) for day, part in pairs if day is not None and part is not None]
