"""The form with which an agent shares a file."""

from flask_wtf.file import FileField
from wtforms import HiddenField

from chassis.web.forms import BooleanField, CheckboxesField, Form, Length, RadioField, StringField

EVERYONE = "everyone"
SOME = "some"


class ShareForm(Form):
    """Set `people` before validating."""

    file = FileField("File")
    title = StringField("Title", [Length(max=120)])
    whom = RadioField("Who may see it?", choices={EVERYONE: "Every passenger", SOME: "Only these"}, default=EVERYONE)
    readers = CheckboxesField("Passengers")
    tell = BooleanField("Tell them by e-mail", default=True)
    request_key = HiddenField(validators=[Length(max=60)])

    def offer(self, people: list[tuple[str, str]]) -> None:
        """Says who travels: (client id, name)."""
        self.readers.choices = dict(people)

    @property
    def reader_ids(self) -> tuple[str, ...]:
        """Who was chosen; nobody = everyone."""
        return tuple(self.readers.data or ()) if self.whom.data == SOME else ()

    @property
    def has_ticked_some(self) -> bool:
        """Whether some passengers are ticked, and not all of them."""
        return 0 < len(set(self.readers.data or ())) < len(self.readers.choices or ())
