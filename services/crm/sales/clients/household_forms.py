"""The forms of a client's family and occasions."""

import calendar
from datetime import UTC, date, datetime
from typing import Any

from wtforms.validators import NumberRange, ValidationError

from chassis.web.forms import DateField, Form, IntegerField, Length, Optional, SelectField, StringField, required
from services.crm.sales.clients.rules import UNKNOWN_YEAR, FamilyMember, Occasion, OccasionKind, Relation

RELATION_WORDS = {
    Relation.SPOUSE: "Spouse",
    Relation.PARTNER: "Partner",
    Relation.CHILD: "Child",
    Relation.PARENT: "Parent",
    Relation.OTHER: "Other",
}
KIND_WORDS = {
    OccasionKind.ANNIVERSARY: "Anniversary",
    OccasionKind.BIRTHDAY: "Birthday",
    OccasionKind.OTHER: "Other",
}
_MONTHS = [(str(number), calendar.month_name[number]) for number in range(1, 13)]
_OLDEST = 1900


class FamilyForm(Form):
    """Somebody of a client's family."""

    first_name = StringField("First name", [required("Enter the first name."), Length(max=80)])
    last_name = StringField("Last name", [Length(max=80)])
    relation = SelectField("Relation", choices=[(each.value, words) for each, words in RELATION_WORDS.items()])
    born_on = DateField("Birthday", [Optional()])

    def validate_born_on(self, field: Any) -> None:  # Any: WTForms' field
        if field.data and not date(_OLDEST, 1, 1) <= field.data <= datetime.now(UTC).date():
            raise ValidationError("Check the year: a birthday lies in the past.")

    def entered(self, member_id: str) -> FamilyMember:
        """What was entered, once the form is valid."""
        return FamilyMember(
            id=member_id,
            first_name=self.first_name.data or "",
            last_name=self.last_name.data or "",
            relation=Relation(self.relation.data),
            born_on=self.born_on.data,
        )


class OccasionForm(Form):
    """A day that comes back every year."""

    kind = SelectField("What it is", choices=[(each.value, words) for each, words in KIND_WORDS.items()])
    label = StringField("Name", [Length(max=80)])
    day = IntegerField("Day", [required("Enter the day of the month."), NumberRange(1, 31, "A day is 1 to 31.")])
    month = SelectField("Month", choices=_MONTHS)
    year = IntegerField("Year", [Optional()])

    def validate_label(self, field: Any) -> None:  # Any: WTForms' field
        if self.kind.data == OccasionKind.OTHER and not (field.data or "").strip():
            raise ValidationError("Say what is remembered on this day.")

    def validate_year(self, field: Any) -> None:  # Any: WTForms' field
        if field.data is not None and not _OLDEST <= field.data <= datetime.now(UTC).year:
            raise ValidationError(f"A year between {_OLDEST} and this one; leave it empty if you don't know it.")

    def validate_day(self, field: Any) -> None:  # Any: WTForms' field
        year = self.year.data if self.year.data and _OLDEST <= self.year.data <= datetime.now(UTC).year else None
        month = int(self.month.data) if self.month.data in dict(_MONTHS) else 1
        if field.data and field.data > calendar.monthrange(year or UNKNOWN_YEAR, month)[1]:
            raise ValidationError(
                f"{calendar.month_name[month]} has no day {field.data}{f' in {year}' if year else ''}."
            )

    def entered(self, occasion_id: str) -> Occasion:
        """What was entered, once the form is valid."""
        kind = OccasionKind(self.kind.data)
        year = self.year.data
        return Occasion(
            id=occasion_id,
            kind=kind,
            label=(self.label.data or "").strip() or KIND_WORDS[kind],
            first_on=date(year or UNKNOWN_YEAR, int(self.month.data), self.day.data or 1),
            year_known=year is not None,
        )
