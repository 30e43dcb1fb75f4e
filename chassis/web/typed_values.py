"""What a person typed into a form, to be shown or sent again; never a secret and never a card."""

import re
from typing import Final

from flask import request
from werkzeug.datastructures import FileStorage

from chassis.cards.detector import holds_card
from chassis.typed.text import clean_line

# Values of these fields are asked for anew: they prove something, hold a sealed card, or belong to the page that was
# left (a card's slot at the vault, and what the offer on it was).
_SECRET: Final = re.compile(
    r"csrf|passw|^(?:old|new|again|code|pan|cvv|intake_id|offer_digest)$|token|secret|sealed|jwe", re.IGNORECASE
)
# A restored form says with this which draft stands in it.
DRAFT_FIELD: Final = "wv_draft"
# Stands before the name of a file's field; the value is what the file was called.
FILE_MARK: Final = "wv_file:"
_LONGEST_FILE_NAME: Final = 200
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
        keeps = len(value) <= _LONGEST and name != DRAFT_FIELD and not _SECRET.search(name[:100])
        if keeps and not holds_card(value):
            kept.append((name[:100], value))
    return kept


def chosen_files() -> list[tuple[str, str]]:
    """What the files of this request's form were called: only their owner can choose them again."""
    named = [(f"{FILE_MARK}{field}"[:100], clean_line(file.filename or "")) for field, file in _files()]
    return [(field, name[:_LONGEST_FILE_NAME]) for field, name in named if name and not holds_card(name)]


def _files() -> list[tuple[str, FileStorage]]:
    return list(request.files.items(multi=True))[:_MOST_FIELDS]
