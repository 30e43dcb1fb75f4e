"""What a person typed into a form, to be shown or sent again; never a secret and never a card."""

import re
from typing import Final

from flask import request

from chassis.cards.detector import holds_card

# Values of these fields are asked for anew: they prove something, or hold a sealed card.
_SECRET: Final = re.compile(r"csrf|passw|^(?:old|new|again|code|pan|cvv)$|token|secret|sealed|jwe", re.IGNORECASE)
_MOST_FIELDS: Final = 500
_LONGEST: Final = 300_000
_MOST_TOGETHER: Final = 1_000_000


def typed_values() -> list[tuple[str, str]]:
    """The fields of this request's form in their order, without secrets, files and whatever looks like a card."""
    kept: list[tuple[str, str]] = []
    together = 0
    for name, value in request.form.items(multi=True):
        together += len(value)
        if len(kept) == _MOST_FIELDS or together > _MOST_TOGETHER:
            break
        if len(value) <= _LONGEST and not _SECRET.search(name[:100]) and not holds_card(value):
            kept.append((name[:100], value))
    return kept
