"""A text in a cell of a CSV: no spreadsheet may compute it, and what we wrote can be read back. Pure."""

import re
from typing import Final

# What a spreadsheet may read as the beginning of a formula (OWASP, CSV injection), full-width forms included.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# A telephone number that no spreadsheet can read as a sum, for want of an operator.
_PLAIN_PHONE: Final = re.compile(r"\+[0-9]+(?: \(?[0-9]+\)?)+")


def csv_text(text: str) -> str:
    """What could be read as a formula, +1-305-555-0142 too, gets an apostrophe before it. So does what begins with
    apostrophes before such a text, so that `as_typed` gives back each text as it was."""
    risky = text.lstrip("' \u00a0").startswith(FORMULA_STARTS) and not _PLAIN_PHONE.fullmatch(text)
    return f"'{text}" if risky else text


def as_typed(cell: str) -> str:
    """The text that `csv_text` wrote into this cell. For files of ours only: elsewhere somebody typed it."""
    return cell[1:] if cell.startswith("'") and csv_text(cell[1:]) == cell else cell
