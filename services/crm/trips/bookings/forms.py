"""The booking form and the segment form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import request
from wtforms import Field
from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from chassis.itinerary import Point
from chassis.web.formatting import currency_choices
from chassis.web.forms import (
    DateField,
    Form,
    IntegerField,
    Length,
    MoneyField,
    Optional,
    SelectField,
    StringField,
    TextAreaField,
    TimeField,
    ZoneField,
    required,
)
from services.crm.trips.bookings.schedule_text import MOST_LINES
from services.crm.trips.bookings.service import (
    BookingData,
    BookingStatus,
    Cancellation,
    Instalment,
    SegmentData,
    SegmentKind,
)

DEFAULT_CURRENCY = "USD"
_MOST_PASSENGERS = 200
STATUS_WORDS = {
    BookingStatus.QUOTE: "Quote",
    BookingStatus.BOOKED: "Booked",
    BookingStatus.TRAVELED: "Traveled",
    BookingStatus.CANCELLED: "Cancelled",
}
KIND_WORDS = {
    SegmentKind.CRUISE: "Cruise",
    SegmentKind.HOTEL: "Hotel",
    SegmentKind.TOUR: "Tour",
    SegmentKind.FLIGHT: "Flight",
    SegmentKind.CAR: "Car",
    SegmentKind.INSURANCE: "Insurance",
    SegmentKind.OTHER: "Other",
}


class IdsField(Field):
    """Ids of things, as check boxes or radio buttons of one name send them; whose they are the use case decides."""

    data: list[str]

    def process_data(self, value: Any) -> None:  # Any: WTForms' own
        self.data = list(value or ())

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = [value[:64] for value in valuelist if value][:_MOST_PASSENGERS]


class _InCurrency(Form):
    """A form whose amounts are all in one currency, known before anything typed is read."""

    def __init__(self, *args: Any, currency: str = DEFAULT_CURRENCY, **kwargs: Any) -> None:  # Any: WTForms' own
        self._currency = currency
        super().__init__(*args, **kwargs)

    def process(self, *args: Any, **kwargs: Any) -> None:  # Any: WTForms' own
        for field in self:
            if isinstance(field, MoneyField):
                field.currency = self._currency
        super().process(*args, **kwargs)


class BookingForm(_InCurrency):
    """`version` is that of the booking the form was opened on. Passengers are ticked ids, the lead is one of them."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    title = StringField("Title", [required("Give the trip a title, such as “Norwegian fjords, May”."), Length(max=160)])
    status = SelectField("Status", choices={status.value: word for status, word in STATUS_WORDS.items()})
    currency = SelectField("Currency", choices=dict(currency_choices()))
    passengers = IdsField("Passengers")
    lead = IdsField("Lead passenger")
    service_fee = MoneyField("Total Service Fees", [Optional()])
    service_fee_description = StringField("Fee Description", [Length(max=200)])
    notes = TextAreaField("Notes", [Length(max=4000)])

    @property
    def passenger_ids(self) -> tuple[str, ...]:
        """Who travels, the lead first; without one it is whoever was ticked first."""
        ticked, leads = self.passengers.data, self.lead.data[:1]
        return tuple(dict.fromkeys([*(lead for lead in leads if lead in ticked or not ticked), *ticked]))

    def validate_service_fee_description(self, field: Any) -> None:  # Any: WTForms' field
        if self.service_fee.data and not field.data:
            raise ValidationError("Say what the fee is for; the client reads it.")

    def entered(self) -> BookingData:
        """What was entered, once the form is valid."""
        return BookingData(
            title=self.title.data or "",
            status=BookingStatus(self.status.data),
            currency=self.currency.data or DEFAULT_CURRENCY,
            passenger_ids=self.passenger_ids,
            service_fee=self.service_fee.data,
            service_fee_description=self.service_fee_description.data or "",
            notes=self.notes.data or "",
        )


_POINT_FIELDS = tuple(f"{end}_{part}" for end in ("starts", "ends") for part in ("place", "terminal", "time", "zone"))


def point_values(data: SegmentData) -> dict[str, Any]:
    """A segment's beginning and end as the form's fields have them."""
    values: dict[str, Any] = {}
    for end, point in (("starts", data.starts), ("ends", data.ends)):
        values |= {
            f"{end}_place": point.place,
            f"{end}_terminal": point.terminal,
            f"{end}_time": point.at,
            f"{end}_zone": point.zone,
        }
    return values


class SegmentForm(_InCurrency):
    """`version` is that of the booking the form was opened on."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    supplier_name = StringField("Supplier", [required("Enter the supplier's name."), Length(max=120)])
    kind = SelectField("Kind", choices={kind.value: word for kind, word in KIND_WORDS.items()})
    confirmation_number = StringField("Confirmation number", [Length(max=60)])
    description = StringField("Description", [Length(max=300)])
    begins_on = DateField("Begins", [Optional()])
    ends_on = DateField("Ends", [Optional()])
    number = StringField("Flight or train number", [Length(max=40)])
    starts_time = TimeField("Begins at", [Optional()])
    starts_zone = ZoneField("Time zone there", [Optional(), Length(max=60)])
    starts_place = StringField("From", [Length(max=120)])
    starts_terminal = StringField("Terminal", [Length(max=40)])
    ends_time = TimeField("Ends at", [Optional()])
    ends_zone = ZoneField("Time zone at the end", [Optional(), Length(max=60)])
    ends_place = StringField("To", [Length(max=120)])
    ends_terminal = StringField("Terminal at the end", [Length(max=40)])
    notes = TextAreaField("Notes for the travelers", [Length(max=2000)])
    price = MoneyField("Price", [Optional()])
    deposit = MoneyField("Deposit", [Optional()])
    deposit_due_on = DateField("Deposit due", [Optional()])
    final = MoneyField("Final payment", [Optional()])
    final_due_on = DateField("Final payment due", [Optional()])
    commission = MoneyField("Commission", [Optional()])
    schedule = TextAreaField("Paste the supplier's schedule", [Length(max=6000)])

    # The instalments between deposit and final payment: `make_segment_form` adds their fields.
    rows: list["InstalmentFields"]

    def entered(self) -> SegmentData:
        """What was entered, once the form is valid."""
        return SegmentData(
            supplier_name=self.supplier_name.data or "",
            kind=SegmentKind(self.kind.data),
            confirmation_number=self.confirmation_number.data or "",
            description=self.description.data or "",
            begins_on=self.begins_on.data,
            ends_on=self.ends_on.data,
            price=self.price.data,
            deposit=self.deposit.data,
            deposit_due_on=self.deposit_due_on.data,
            final=self.final.data,
            final_due_on=self.final_due_on.data,
            commission=self.commission.data,
            instalments=tuple(
                Instalment(id=row.due_id, amount=row.amount.data, due_on=row.due_on.data)
                for row in sorted(self.rows, key=lambda row: row.due_on.data or date.max)
                if row.amount.data is not None
            ),
            number=self.number.data or "",
            notes=self.notes.data or "",
            starts=self._point("starts"),
            ends=self._point("ends"),
        )

    @property
    def tells_travel(self) -> bool:
        """Whether anything is known, or wrong, of times and places."""
        return any(self[name].data or self[name].errors for name in ("number", "notes", *_POINT_FIELDS))

    def _point(self, end: str) -> Point:
        place, terminal, at, zone = (self[f"{end}_{part}"].data for part in ("place", "terminal", "time", "zone"))
        return Point(place=place or "", terminal=terminal or "", at=at, zone=zone or "")

    def check_rows(self) -> bool:
        """Whether each instalment has an amount and a day; what lacks stands at its field."""
        good = True
        for row in self.rows:
            if row.amount.data is not None and row.due_on.data is None and not row.due_on.errors:
                self.refuse(row.due_on.name, "Enter the day on which it is due.")
                good = False
            if row.amount.data is None and row.due_on.data is not None and not row.amount.errors:
                self.refuse(row.amount.name, "Enter the amount that is due on this day.")
                good = False
        return good


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalmentFields:
    """The fields of one instalment; `due_id` is empty for a new one."""

    due_id: str
    amount: MoneyField
    due_on: DateField


def make_segment_form(
    *,
    currency: str,
    data: Mapping[str, Any],
    blank_rows: int = 0,
    typed: bool = True,  # Any: fields' data
) -> SegmentForm:
    """The form with a row for each instalment of `data` and some to fill; unless `typed`, what was sent is not read."""
    kept: tuple[Instalment, ...] = tuple(data.get("instalments", ()))
    count = min(len(kept) + blank_rows, MOST_LINES)
    if typed and request.method == "POST":
        count = max(count, min(1 + max(_sent_rows(), default=-1), MOST_LINES))
    fields: dict[str, Any] = {}
    first = dict(data)
    for index in range(count):
        fields[f"due_amount_{index}"] = MoneyField(f"Instalment {index + 1}", [Optional()])
        fields[f"due_on_{index}"] = DateField(f"Instalment {index + 1} due", [Optional()])
        if index < len(kept):
            first |= {f"due_amount_{index}": kept[index].amount, f"due_on_{index}": kept[index].due_on}
    bound = type("BoundSegmentForm", (SegmentForm,), fields)
    only_shown = {} if typed else {"formdata": None}
    form: SegmentForm = bound(currency=currency, data=first, **only_shown)
    form.rows = [
        InstalmentFields(
            due_id=kept[index].id if index < len(kept) else "",
            amount=getattr(form, f"due_amount_{index}"),
            due_on=getattr(form, f"due_on_{index}"),
        )
        for index in range(count)
    ]
    return form


def _sent_rows() -> Iterator[int]:
    for name in request.form:
        number = name.removeprefix("due_amount_")
        if number != name and number.isascii() and number.isdigit() and len(number) < 4:
            yield int(number)


class CancelForm(_InCurrency):
    """What becomes of the money of a segment that is cancelled."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    penalty = MoneyField("The supplier keeps", [Optional()], positive=False)
    refund_due = MoneyField("Refund due", [Optional()], positive=False)
    reason = StringField("Why?", [Length(max=300)])

    def entered(self, at: datetime) -> Cancellation:
        """What was entered, once the form is valid."""
        return Cancellation(
            at=at, reason=self.reason.data or "", penalty=self.penalty.data, refund_due=self.refund_due.data
        )
