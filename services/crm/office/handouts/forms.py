"""The form with which an admin sets what agents are handed."""

from typing import Any

from flask_wtf.file import FileField
from wtforms.validators import ValidationError

from chassis.typed.web_addresses import read_page
from chassis.web.forms import Form, Length, Optional, StringField


class HandoutForm(Form):
    community_url = StringField("Community", [Optional(), Length(max=290)])
    sheet = FileField("Quick Sheet")

    def validate_community_url(self, field: Any) -> None:  # Any: WTForms' field
        try:
            read_page(field.data)
        except ValueError as error:
            raise ValidationError(str(error)) from None

    @property
    def community(self) -> str:
        """The address, once the form is valid; empty where there is none."""
        return read_page(self.community_url.data) if self.community_url.data else ""
