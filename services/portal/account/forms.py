"""What a client types to prove who they are. Passwords are taken as typed: never stripped."""

from wtforms import HiddenField

from chassis.web.forms import Form, Length, PasswordField, StringField, required
from chassis.web.passwords import PASSWORD_MAX

_BOUNDED = Length(max=PASSWORD_MAX, message=f"Use at most {PASSWORD_MAX} characters.")
_USERNAME = Length(max=120, message="That is longer than any username.")


class SignInForm(Form):
    username = StringField("Username", [required("Enter your username."), _USERNAME])
    password = PasswordField("Password", [required("Enter your password."), _BOUNDED])


class ForgottenForm(Form):
    username = StringField("Username", [required("Enter your username."), _USERNAME])


class ChoosePasswordForm(Form):
    token = HiddenField()
    password = PasswordField("New password", [required("Choose a password."), _BOUNDED])
    again = PasswordField("The same password again", [required("Type the password again."), _BOUNDED])


class ChangePasswordForm(Form):
    old = PasswordField("Current password", [required("Enter your current password."), _BOUNDED])
    password = PasswordField("New password", [required("Choose a new password."), _BOUNDED])
    again = PasswordField("New password again", [required("Type the new password again."), _BOUNDED])
