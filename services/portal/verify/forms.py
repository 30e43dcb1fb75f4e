"""The form of the public check: a file, or what stands on its last page."""

from flask_wtf.file import FileField

from chassis.web.forms import Form, Length, StringField


class VerifyForm(Form):
    """One of the two is enough."""

    file = FileField("The signed PDF")
    reference = StringField("Document number or SHA-256 of the file", [Length(max=200)])
