"""Forms of the eSignature room: the template editor, sending, the paper form's date, the restricted states."""

from typing import Any

from wtforms import HiddenField
from wtforms.validators import Length
from wtforms.widgets import HiddenInput

from chassis.paper.forms import OnPaper
from chassis.web.forms import (
    BooleanField,
    CheckboxesField,
    DateField,
    Form,
    IntegerField,
    Optional,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    required,
)
from services.crm.signing.esign.rules import MAX_BODY, MAX_TITLE, REQUIRED_WORDS, US_STATES, Required
from services.crm.signing.esign.service import SendRequest, Template, TemplateData
from services.crm.trips.bookings.service import BookingDetail
from services.crm.trips.passenger_picker import PassengerChoice, choice_fields, choices_of


class TemplateForm(Form):
    """`version` is that of the template the form was opened on."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    title = StringField("Title", [required("Give the document a title."), Length(max=MAX_TITLE), OnPaper()])
    body = TextAreaField("Text", [required("Write the text that the client signs."), Length(max=MAX_BODY), OnPaper()])
    required = SelectField("Needed", choices={value.value: words for value, words in REQUIRED_WORDS.items()})

    def entered(self) -> TemplateData:
        """What was entered, once the form is valid. Line ends are those of the text, not of the browser."""
        return TemplateData(
            title=" ".join((self.title.data or "").split()),
            body=(self.body.data or "").replace("\r\n", "\n"),
            required=Required(self.required.data),
        )


class SendForm(Form):
    """Passengers come per booking: `make_send_form` adds a tick for each."""

    request_key = HiddenField(validators=[Length(min=16, max=60)])
    template_id = RadioField("Which document?", [required("Choose the document to send.")])
    restricted_ok = BooleanField("Send it all the same")

    passengers: list[PassengerChoice]


def make_send_form(booking: BookingDetail, templates: list[Template], **values: Any) -> SendForm:
    """The form for one booking. Any: whatever a field takes as data."""
    bound = type("BookingSendForm", (SendForm,), choice_fields(booking))
    form: SendForm = bound(data=values)
    form.template_id.choices = {template.id: template.title for template in templates}
    form.passengers = choices_of(form, booking)
    return form


def read_send_form(form: SendForm) -> SendRequest | None:
    """What the agent asks for; None when something is wrong, which then stands at its field."""
    valid = form.validate_on_submit()
    picked = [tick.passenger.client_id for tick in form.passengers if tick.is_picked]
    if not picked:
        form.refuse("", "Tick at least one passenger who signs.")
    if not valid or not picked:
        return None
    return SendRequest(
        request_key=form.request_key.data or "",
        template_id=form.template_id.data or "",
        client_ids=picked,
        restricted_ok=bool(form.restricted_ok.data),
    )


class PrintForm(Form):
    """The day on which the printed form was signed."""

    request_key = HiddenField(validators=[Length(min=16, max=60)])
    template_id = HiddenField(validators=[Length(max=64)])
    client_id = HiddenField(validators=[Length(max=64)])
    on = DateField("Signed on", [required("Enter the day on which the form was signed.")])


class RestrictionsForm(Form):
    """The states that restrict service fees, and what the agent reads when they send one there."""

    states = CheckboxesField("States", choices=dict(US_STATES))
    note = TextAreaField("What your agents should know", [Length(max=300)])
