"""What a form says of a text that will stand on paper."""

from typing import Any

from wtforms import Field
from wtforms.validators import ValidationError

from chassis.paper.faces import name_them, unprintable


class OnPaper:
    """Every character of the text can be printed. Else it says which can't: a signed PDF must never hold a box."""

    def __call__(self, form: Any, field: Field) -> None:  # Any: WTForms' own
        text = field.data if isinstance(field.data, str) else ""
        if missing := unprintable(text):
            raise ValidationError(f"The PDF can't show {name_them(missing)}. Write it in another way.")
