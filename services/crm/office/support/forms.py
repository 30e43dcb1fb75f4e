"""The forms of the support room."""

from wtforms.widgets import HiddenInput

from chassis.web.forms import Form, IntegerField, Length, Optional, StringField, TextAreaField, required
from services.crm.office.support.rules import LONGEST_SUBJECT, LONGEST_TEXT


class TicketForm(Form):
    """A new ticket."""

    subject = StringField(
        "What is it about?", [required("Say in a few words what it is about."), Length(max=LONGEST_SUBJECT)]
    )
    text = TextAreaField("Your question", [required("Write your question."), Length(max=LONGEST_TEXT)])


class ReplyForm(Form):
    """`version` is that of the ticket the form was opened on."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    text = TextAreaField("Your message", [required("Write your message."), Length(max=LONGEST_TEXT)])
