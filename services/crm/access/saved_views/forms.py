"""The form of a view's name."""

from chassis.web.forms import Form, Length, StringField, required
from services.crm.access.saved_views.rules import LONGEST_NAME


class ViewForm(Form):
    """What a view is called."""

    name = StringField("Name", [required("Give it a name."), Length(max=LONGEST_NAME)])
