"""The form that puts a request away."""

from wtforms.widgets import HiddenInput

from chassis.web.forms import Form, IntegerField, Length, Optional, TextAreaField


class DeclineForm(Form):
    """`version` is that of the request the form was opened on."""

    version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    note = TextAreaField("Note for yourself", [Length(max=2000)])
