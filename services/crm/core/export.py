"""Lists as CSV files that a spreadsheet opens safely."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from flask import Response

_PHONE = re.compile(r"\+[0-9 ().\-/]+")


def csv_response(filename: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A download. Starts with a byte order mark, so that spreadsheets read it as UTF-8."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    writer.writerows([_safe(value) for value in row] for row in rows)
    response = Response("\ufeff" + buffer.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _safe(value: object) -> str:
    """Text that no spreadsheet takes for a formula (OWASP, CSV injection). A telephone number's + stays."""
    text = "" if value is None else str(value)
    if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _PHONE.fullmatch(text):
        return f"'{text}"
    return text
