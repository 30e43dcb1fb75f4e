"""What agents say of their public page."""

from chassis.web.forms import Form, Length, StringField, TextAreaField, required


class NameForm(Form):
    """The name, or the whole address as it was pasted."""

    name = StringField("Name in the address", [required("Enter a name for your page."), Length(max=300)])


class WebsitesForm(Form):
    """One website a line; empty = any."""

    websites = TextAreaField("Your websites", [Length(max=1500)])
