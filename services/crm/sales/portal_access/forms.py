"""The invitation form."""

from chassis.web.forms import Form, Length, StringField, required
from services.crm.sales.portal_access.rules import USERNAME_MAX


class InviteForm(Form):
    username = StringField(
        "Username for client login", [required("Enter a username."), Length(max=USERNAME_MAX, message="Too long.")]
    )
