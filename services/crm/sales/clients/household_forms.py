"""The forms of a client's family and occasions."""

import calendar
from datetime import UTC, date, datetime
from typing import Any

from wtforms.validators import ValidationError

from chassis.typed.days import DayError, birthday_bounds, day_of_the_year
from chassis.web.forms import (
    DateField,
    Form,
    IntegerField,
    Length,
    NameField,
    Optional,
    SelectField,
    StringField,
    WithNames,
    required,
)
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
_MONTHS = {str(number): calendar.month_name[number] for number in range(1, 13)}
_OLDEST = 1900


class FamilyForm(WithNames):
    """Somebody of a client's family."""

    first_name = NameField("First name", [Length(max=80)])
    last_name = NameField("Last name", [Length(max=80)])
    relation = SelectField("Relation", choices={each.value: words for each, words in RELATION_WORDS.items()})
    born_on = DateField("Birthday", [Optional()])

    def validate_born_on(self, field: Any) -> None:  # Any: WTForms' field
        earliest, latest = birthday_bounds(datetime.now(UTC).date())
        if field.data and not earliest <= field.data <= latest:
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

    kind = SelectField("What it is", choices={each.value: words for each, words in KIND_WORDS.items()})
    label = StringField("Name", [Length(max=80)])
    day = IntegerField("Day", [required("Enter the day of the month.")])
    month = SelectField("Month", choices=_MONTHS)
    year = IntegerField("Year", [Optional()])

    def validate_label(self, field: Any) -> None:  # Any: WTForms' field
        if self.kind.data == OccasionKind.OTHER and not (field.data or "").strip():
            raise ValidationError("Say what is remembered on this day.")

    def validate_year(self, field: Any) -> None:  # Any: WTForms' field
        if field.data is not None and not _OLDEST <= field.data <= datetime.now(UTC).year:
            raise ValidationError(f"A year between {_OLDEST} and this one; leave it empty if you don't know it.")

    def validate_day(self, field: Any) -> None:  # Any: WTForms' field
        if not field.errors:
            try:
                self._on()
            except DayError as error:
                raise ValidationError(str(error)) from None

    def _on(self) -> date:
        month = int(self.month.data) if self.month.data in _MONTHS else 1
        return day_of_the_year(self.day.data, month, self.year.data, unknown_year=UNKNOWN_YEAR)

    def entered(self, occasion_id: str) -> Occasion:
        """What was entered, once the form is valid."""
        kind = OccasionKind(self.kind.data)
        return Occasion(
            id=occasion_id,
            kind=kind,
            label=(self.label.data or "").strip() or KIND_WORDS[kind],
            first_on=self._on(),
            year_known=self.year.data is not None,
        )
