"""The agency form and the agent form."""

from dataclasses import replace

from flask_wtf.file import FileField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import NumberRange
from wtforms.widgets import HiddenInput

from chassis.web.forms import (
    BooleanField,
    EmailField,
    Form,
    IntegerField,
    Length,
    Optional,
    PhoneField,
    SelectField,
    StringField,
    email_address,
    required,
)
from services.crm.access.agency.rules import CARD_DAYS, CVV_HOURS, NOTICE_DAYS, REFUND_LIMITS, TIME_ZONES
from services.crm.access.agency.service import AgencyData, AgentData
from services.crm.core.actor import Role

# Those that most agencies look for, by the names people have for them; all others beneath, by continent and city.
_USUAL = {
    "America/New_York": "Eastern (New York)",
    "America/Chicago": "Central (Chicago)",
    "America/Denver": "Mountain (Denver)",
    "America/Phoenix": "Arizona (Phoenix)",
    "America/Los_Angeles": "Pacific (Los Angeles)",
    "America/Anchorage": "Alaska (Anchorage)",
    "Pacific/Honolulu": "Hawaii (Honolulu)",
    "America/Toronto": "Eastern Canada (Toronto)",
    "Europe/London": "United Kingdom (London)",
    "Europe/Berlin": "Central Europe (Berlin)",
    "Australia/Sydney": "Eastern Australia (Sydney)",
}


_CONTINENTS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)


def _zone_choices() -> list[SelectChoice]:
    usual = [
        SelectChoice(value=name, label=words, optgroup="Often chosen")
        for name, words in _USUAL.items()
        if name in TIME_ZONES
    ]
    others = []
    for name in sorted(set(TIME_ZONES) - set(_USUAL)):
        continent, _, city = name.replace("_", " ").partition("/")
        if city:
            # Old names ("US/Eastern") are kept for who has chosen one, at the end.
            group = continent if continent in _CONTINENTS else "Older names"
            others.append(SelectChoice(value=name, label=", ".join(reversed(city.split("/"))), optgroup=group))
    return [*usual, *sorted(others, key=lambda choice: choice.optgroup == "Older names")]


_ZONES = _zone_choices()

_PAPERS = {"": "As is usual in the time zone", "us-letter": "Letter", "a4": "A4"}


class AgencyForm(Form):
    """`version` is that of the agency the form was opened on."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    name = StringField("Agency name", [required("Enter the agency's name."), Length(max=120)])
    accent_colour = StringField("Colour", [Length(max=7)])
    email = EmailField("E-mail", [Optional(), Length(max=254), email_address()])
    phone = PhoneField("Phone", [Optional(), Length(max=40)])
    time_zone = SelectField("Time zone", choices=_ZONES)
    paper = SelectField("Paper", choices=_PAPERS)
    card_retention_days = IntegerField(
        "Days a card is kept at most",
        [
            required("Enter a number of days from 1 to 180."),
            NumberRange(CARD_DAYS[0], CARD_DAYS[-1], "A card may be kept from 1 to 180 days."),
        ],
    )
    cvv_retention_hours = IntegerField(
        "Hours a CVV is kept at most",
        [
            required("Enter a number of hours from 0 to 72."),
            NumberRange(CVV_HOURS[0], CVV_HOURS[-1], "A CVV may be kept for at most 72 hours; 0 means never."),
        ],
    )

    second_reveal = BooleanField("Allow a second reveal that another admin approves")
    charge_code = BooleanField("Ask for the authenticator before each charge")
    refund_limit = IntegerField(
        "Refunds above this need another admin",
        [
            Optional(),
            NumberRange(
                REFUND_LIMITS[0], REFUND_LIMITS[-1], "Enter a whole amount from 0 to 1,000,000, or leave it empty."
            ),
        ],
    )

    notice_days = IntegerField(
        "Days of notice before a standing order's charge",
        [
            required("Enter a number of days from 0 to 14."),
            NumberRange(NOTICE_DAYS[0], NOTICE_DAYS[-1], "Enter a number of days from 0 to 14; 0 means no notice."),
        ],
    )

    def entered(self) -> AgencyData:
        """What was entered, once the form is valid."""
        return AgencyData(
            name=self.name.data or "",
            accent_colour=(self.accent_colour.data or "").lower(),
            phone=self.phone.data or "",
            email=self.email.data or "",
            time_zone=self.time_zone.data,
            paper=self.paper.data,
            card_retention_days=self.card_retention_days.data or 0,
            cvv_retention_hours=self.cvv_retention_hours.data or 0,
            second_reveal=bool(self.second_reveal.data),
            refund_limit=self.refund_limit.data,
            charge_code=bool(self.charge_code.data),
            notice_days=self.notice_days.data or 0,
        )


class LogoForm(Form):
    """A picture to be the logo. What kind of file it is, is read from its content."""

    logo = FileField("Picture")


class ProfileForm(Form):
    """What agents change of themselves. `version` is that of the agent the form was opened on."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    name = StringField("Name", [required("Enter your name."), Length(max=120)])
    phone = PhoneField("Phone", [Optional(), Length(max=40)])
    time_zone = SelectField("Time zone", choices=_ZONES)

    def entered(self, known: AgentData) -> AgentData:
        """What was entered, once the form is valid; the rest as it is known."""
        return replace(known, name=self.name.data or "", phone=self.phone.data or "", time_zone=self.time_zone.data)


class AgentForm(Form):
    """`version` is that of the agent the form was opened on."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    name = StringField("Name", [required("Enter the agent's name."), Length(max=120)])
    email = EmailField("E-mail", [required("Enter the agent's e-mail address."), Length(max=254), email_address()])
    phone = PhoneField("Phone", [Optional(), Length(max=40)])
    time_zone = SelectField("Time zone", choices=_ZONES)
    role = SelectField("Role", choices={Role.AGENT.value: "Agent", Role.ADMIN.value: "Admin"})
    active = BooleanField("May sign in", default=True)

    def entered(self) -> AgentData:
        """What was entered, once the form is valid."""
        return AgentData(
            name=self.name.data or "",
            email=self.email.data or "",
            phone=self.phone.data or "",
            time_zone=self.time_zone.data,
            role=Role(self.role.data),
            active=bool(self.active.data),
        )
