"""What an admin gives before they enter keys."""

from chassis.web.forms import CodeField, Form, SelectField, required
from services.crm.paying.charging.rules import GATEWAYS


class OpenForm(Form):
    """Whose keys, and a fresh code: whoever changes the account of all charges shows that it is them."""

    gateway = SelectField("Payment gateway", choices=GATEWAYS)
    code = CodeField("Authenticator code", [required("Enter the 6 digits that your app shows.")])
