"""What an agent types who charges, where the agency wants it, and an admin who decides a refund."""

from chassis.web.forms import CodeField, Form, Length, StringField, required
from services.crm.paying.charging.approvals import LONGEST_WORD

_BOUNDED = Length(max=LONGEST_WORD, message=f"Use at most {LONGEST_WORD} characters.")


class ChargeForm(Form):
    """Step-up before a charge, where the agency's policy says so."""

    code = CodeField("Authenticator code", [required("Enter the 6 digits that your app shows.")])


class ApproveForm(Form):
    """Step-up: money leaves, so a fresh code of the admin's own authenticator."""

    code = CodeField("Authenticator code", [required("Enter the 6 digits that your app shows.")])
    word = StringField("A word to the agent", [_BOUNDED])


class RefuseForm(Form):
    """Why not."""

    word = StringField("Why not?", [required("Say why: the agent reads it."), _BOUNDED])
