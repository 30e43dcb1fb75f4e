"""The demo agency's trips. Days count from the day the demo is made, so that something is always due soon."""

from dataclasses import dataclass, field
from datetime import date, time, timedelta

from chassis.itinerary import Point
from chassis.money import Money
from services.crm.trips.bookings.service import BookingData, BookingStatus, Instalment, SegmentData, SegmentKind
from services.crm_demo.people import ADA, JONAS, MAYA


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A segment: amounts in whole units of the trip's currency, days from today (None = not set)."""

    supplier: str
    kind: SegmentKind
    what: str
    begins: int
    ends: int
    price: int
    confirmation: str = ""
    deposit: tuple[int, int] | None = None
    final: tuple[int, int] | None = None
    instalments: tuple[tuple[int, int], ...] = ()
    commission: int = 0
    service: str = ""
    notes: str = ""
    origin: Point = field(default_factory=Point)
    target: Point = field(default_factory=Point)

    def data(self, today: date, currency: str) -> SegmentData:
        def money(amount: int) -> Money | None:
            return Money(minor=amount * 100, currency=currency) if amount else None

        def day(offset: int) -> date:
            return today + timedelta(days=offset)

        return SegmentData(
            supplier_name=self.supplier,
            kind=self.kind,
            description=self.what,
            confirmation_number=self.confirmation,
            begins_on=day(self.begins),
            ends_on=day(self.ends),
            price=money(self.price),
            deposit=money(self.deposit[0]) if self.deposit else None,
            deposit_due_on=day(self.deposit[1]) if self.deposit else None,
            final=money(self.final[0]) if self.final else None,
            final_due_on=day(self.final[1]) if self.final else None,
            commission=money(self.commission),
            instalments=tuple(
                Instalment(amount=Money(minor=amount * 100, currency=currency), due_on=day(due))
                for amount, due in self.instalments
            ),
            number=self.service,
            notes=self.notes,
            starts=self.origin,
            ends=self.target,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A booking. Passengers by e-mail address or, for those without one, by name; the first leads."""

    agent: str
    title: str
    status: BookingStatus
    passengers: tuple[str, ...]
    parts: tuple[Part, ...]
    currency: str = "USD"
    fee: tuple[int, str] | None = None

    def data(self, passenger_ids: tuple[str, ...]) -> BookingData:
        return BookingData(
            title=self.title,
            status=self.status,
            currency=self.currency,
            passenger_ids=passenger_ids,
            service_fee=Money(minor=self.fee[0] * 100, currency=self.currency) if self.fee else None,
            service_fee_description=self.fee[1] if self.fee else "",
        )


_FJORDS = Trip(
    agent=MAYA.email,
    title="Norwegian fjords for the Whitcombes",
    status=BookingStatus.BOOKED,
    passengers=("eleanor.whitcombe@mail.example", "robert.whitcombe@mail.example"),
    fee=(150, "Itinerary planning and shore excursions"),
    parts=(
        Part(
            supplier="Nordlys Airways",
            kind=SegmentKind.FLIGHT,
            what="Boston to Bergen, premium economy, two seats",
            begins=96,
            ends=97,
            price=2180,
            confirmation="NL7QKD",
            final=(2180, 9),
            commission=65,
            service="NL 612",
            notes="Check in online from 24 hours before. One suitcase of 23 kg each.",
            origin=Point(place="Boston Logan", terminal="E", at=time(20, 35), zone="America/New_York"),
            target=Point(place="Bergen Flesland", at=time(10, 15), zone="Europe/Oslo"),
        ),
        Part(
            supplier="Aurora Cruises",
            kind=SegmentKind.CRUISE,
            what="MS Polarstjerne, balcony cabin 6114, Bergen to Tromsø",
            begins=98,
            ends=106,
            price=7240,
            confirmation="AC-448120",
            deposit=(1240, 2),
            final=(6000, 38),
            commission=868,
            notes="Boarding closes an hour before the ship leaves. Bring your passports and the cabin cards.",
            origin=Point(place="Bergen", terminal="Pier 3", at=time(16, 0), zone="Europe/Oslo"),
            target=Point(place="Tromsø", at=time(9, 30), zone="Europe/Oslo"),
        ),
        Part(
            supplier="Hotel Fjordblick Tromsø",
            kind=SegmentKind.HOTEL,
            what="Two nights, harbour double, breakfast",
            begins=106,
            ends=108,
            price=520,
            confirmation="HF-20931",
            final=(520, 60),
            commission=52,
            origin=Point(place="Havnegata 12, Tromsø", at=time(15, 0)),
            target=Point(at=time(11, 0)),
        ),
    ),
)
_LISBON = Trip(
    agent=MAYA.email,
    title="Lisbon and the Douro for Priya and Sanjay",
    status=BookingStatus.BOOKED,
    passengers=("priya.raman@post.example", "sanjay.raman@post.example"),
    parts=(
        Part(
            supplier="Casa do Miradouro",
            kind=SegmentKind.HOTEL,
            what="Four nights, river suite",
            begins=19,
            ends=23,
            price=1360,
            confirmation="CM-5521",
            final=(1360, -2),
            commission=136,
        ),
        Part(
            supplier="Douro Slow Rail",
            kind=SegmentKind.TOUR,
            what="Porto to Pinhão by historic train, private tasting",
            begins=23,
            ends=26,
            price=890,
            confirmation="DSR-118",
            final=(890, 5),
            commission=107,
        ),
    ),
)
_MIAMI = Trip(
    agent=MAYA.email,
    title="Caribbean anniversary for Chidi and Amara",
    status=BookingStatus.BOOKED,
    passengers=("chidi.eze@post.example", "amara.eze@post.example"),
    parts=(
        Part(
            supplier="Blue Heron Line",
            kind=SegmentKind.CRUISE,
            what="Seven nights, Miami round trip, suite 9022",
            begins=27,
            ends=34,
            price=5480,
            confirmation="BHL-90312",
            final=(5480, 1),
            commission=712,
        ),
        Part(
            supplier="Shoreline Cover",
            kind=SegmentKind.INSURANCE,
            what="Trip protection for two",
            begins=27,
            ends=34,
            price=264,
            confirmation="SC-77109",
            final=(264, 1),
            commission=53,
        ),
    ),
)
_BOOK_CLUB = Trip(
    agent=MAYA.email,
    title="Dublin with the Lakeside book club",
    status=BookingStatus.QUOTE,
    passengers=("gwen.orourke@mail.example",),
    fee=(400, "Group planning, eight travelers"),
    parts=(
        Part(
            supplier="Liffey House",
            kind=SegmentKind.HOTEL,
            what="Five nights, eight single rooms",
            begins=140,
            ends=145,
            price=7900,
            deposit=(1580, 12),
            final=(6320, 80),
            commission=790,
        ),
    ),
)
_NEWPORT = Trip(
    agent=MAYA.email,
    title="Canadian Maritimes for the Blackwoods",
    status=BookingStatus.BOOKED,
    passengers=("peter.blackwood@mail.example", "Dorothy Blackwood"),
    parts=(
        Part(
            supplier="Maritime Motorcoach",
            kind=SegmentKind.TOUR,
            what="Halifax to Charlottetown, seven days, step-free coach",
            begins=54,
            ends=61,
            price=3150,
            confirmation="MM-3307",
            deposit=(500, 6),
            instalments=((900, 15),),
            final=(1750, 24),
            commission=378,
        ),
        Part(
            supplier="Beacon Car Hire",
            kind=SegmentKind.CAR,
            what="Estate car, Providence to Halifax",
            begins=53,
            ends=54,
            price=210,
            confirmation="BCH-9A2",
            commission=15,
        ),
    ),
)
_TEXAS = Trip(
    agent=MAYA.email,
    title="Oaxaca for Marisol",
    status=BookingStatus.TRAVELED,
    passengers=("marisol.cardenas@correo.example",),
    parts=(
        Part(
            supplier="Posada Jacaranda",
            kind=SegmentKind.HOTEL,
            what="Six nights during the festival",
            begins=-24,
            ends=-18,
            price=1140,
            confirmation="PJ-401",
            final=(1140, -50),
            commission=114,
        ),
    ),
)
_JONAS_TRIPS = (
    Trip(
        agent=JONAS.email,
        title="Scottish islands for the Hartleys",
        status=BookingStatus.BOOKED,
        currency="GBP",
        passengers=("oliver.hartley@mail.example", "fiona.hartley@mail.example"),
        parts=(
            Part(
                supplier="Hebrides Small Ships",
                kind=SegmentKind.CRUISE,
                what="Ten nights, twelve guests, cabin Puffin",
                begins=74,
                ends=84,
                price=8900,
                confirmation="HSS-2217",
                deposit=(1780, 3),
                final=(7120, 30),
                commission=890,
            ),
        ),
    ),
    Trip(
        agent=JONAS.email,
        title="Azoren für Familie Brandt",
        status=BookingStatus.BOOKED,
        currency="EUR",
        passengers=("annika.brandt@post.example", "lukas.brandt@post.example"),
        parts=(
            Part(
                supplier="Quinta das Hortênsias",
                kind=SegmentKind.HOTEL,
                what="Eight nights, garden house",
                begins=22,
                ends=30,
                price=1960,
                confirmation="QH-1180",
                final=(1960, 4),
                commission=196,
            ),
            Part(
                supplier="Ilha Whale Watching",
                kind=SegmentKind.TOUR,
                what="Half a day at sea for two",
                begins=25,
                ends=25,
                price=150,
                final=(150, 10),
                commission=15,
            ),
        ),
    ),
    Trip(
        agent=JONAS.email,
        title="Kyoto in autumn for Wei",
        status=BookingStatus.QUOTE,
        passengers=("wei.zhang@mail.example",),
        parts=(
            Part(
                supplier="Machiya Stays",
                kind=SegmentKind.HOTEL,
                what="Nine nights in a wooden townhouse",
                begins=330,
                ends=339,
                price=2430,
                deposit=(486, 20),
                final=(1944, 270),
                commission=243,
            ),
        ),
    ),
)
_ADAS_TRIPS = (
    Trip(
        agent=ADA.email,
        title="Christmas in Vienna for the Falks",
        status=BookingStatus.BOOKED,
        currency="EUR",
        passengers=("ingrid.falk@epost.example", "henrik.falk@epost.example"),
        parts=(
            Part(
                supplier="Hotel Lindenhof Wien",
                kind=SegmentKind.HOTEL,
                what="Four nights, junior suite, opera package",
                begins=30,
                ends=34,
                price=1880,
                confirmation="LW-7714",
                final=(1880, 8),
                commission=188,
            ),
        ),
    ),
)

TRIPS = (_FJORDS, _LISBON, _MIAMI, _BOOK_CLUB, _NEWPORT, _TEXAS, *_JONAS_TRIPS, *_ADAS_TRIPS)
