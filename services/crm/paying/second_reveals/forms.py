"""What an agent writes when they ask, and what an admin types when they decide."""

from typing import ClassVar

from chassis.web.forms import CodeField, Form, Length, StringField, required
from services.crm.paying.second_reveals.rules import LONGEST_REASON

_BOUNDED = Length(max=LONGEST_REASON, message=f"Use at most {LONGEST_REASON} characters.")


class AskForm(Form):
    """M9: the owner asks. Asking leaves the card where it is, so the payment area may stay as it is too."""

    stays: ClassVar = True

    reason = StringField(
        "Why do you need to see it once more?", [required("Say why, for the admin who decides."), _BOUNDED]
    )


class ProveForm(Form):
    """Step-up: a fresh code of the admin's own authenticator."""

    code = CodeField("Authenticator code", [required("Enter the 6 digits that your app shows.")])


class RefuseForm(Form):
    """A word to the agent."""

    word = StringField("A word to the agent", [_BOUNDED])
