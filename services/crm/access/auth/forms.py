"""What a person types to prove who they are. Passwords are taken as typed: never stripped."""

from wtforms import HiddenField

from chassis.web.forms import CodeField, EmailField, Form, Length, PasswordField, required
from chassis.web.passwords import PASSWORD_MAX

_BOUNDED = Length(max=PASSWORD_MAX, message=f"Use at most {PASSWORD_MAX} characters.")


class PasswordStepForm(Form):
    email = EmailField("E-mail", [required("Enter your e-mail address."), Length(max=254)])
    password = PasswordField("Password", [required("Enter your password."), _BOUNDED])


class CodeStepForm(Form):
    code = CodeField("Authenticator code", [required("Enter the 6 digits that your app shows.")])


class InvitationForm(Form):
    token = HiddenField()
    password = PasswordField("New password", [required("Choose a password."), _BOUNDED])
    again = PasswordField("The same password again", [required("Type the password again."), _BOUNDED])


class ChangePasswordForm(Form):
    old = PasswordField("Current password", [required("Enter your current password."), _BOUNDED])
    new = PasswordField("New password", [required("Choose a new password."), _BOUNDED])
    again = PasswordField("New password again", [required("Type the new password again."), _BOUNDED])
