"""Lists as files for spreadsheets: CSV, and XLSX whose cells have types. In neither can a text become a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, cast

from flask import Response, request
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from services.crm.core.csv_cells import FORMULA_STARTS, csv_text

_XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Excel's own bounds.
_LONGEST_CELL: Final = 32_767
_MOST_EXACT_DIGITS: Final = 15
_MINUTES: Final = "%Y-%m-%d %H:%M"


def table_response(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A download of what the page's address ends with, .xlsx or .csv; `name` is without ending.

    Text stays as it was typed. Numbers, dates and moments (UTC) are themselves in XLSX.
    """
    if request.path.endswith(".xlsx"):
        response = Response(_xlsx(header, rows), mimetype=_XLSX_TYPE)
        ending = "xlsx"
    else:
        # A byte order mark, so that spreadsheets read it as UTF-8.
        response = Response("\ufeff" + _csv(header, rows), mimetype="text/csv")
        ending = "csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    return response


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    writer.writerows([_csv_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def _csv_cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(UTC).strftime(_MINUTES)
        case int() | Decimal() | date():
            return str(value)
        case _:
            return csv_text(str(value))


def _xlsx(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("List")
    sheet.freeze_panes = "A2"
    for column in range(len(header)):
        sheet.column_dimensions[chr(ord("A") + column)].width = 22
    titles = [_xlsx_cell(sheet, title) for title in header]
    for title in titles:
        title.font = Font(bold=True)
    sheet.append(titles)
    for row in rows:
        sheet.append([_xlsx_cell(sheet, value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _xlsx_cell(sheet: Any, value: object) -> Any:  # Any: openpyxl has no types
    match value:
        case None | "":
            return WriteOnlyCell(sheet)
        case bool():
            return WriteOnlyCell(sheet, value="yes" if value else "no")
        case datetime():
            cell = WriteOnlyCell(sheet, value=value.astimezone(UTC).replace(tzinfo=None))
            cell.number_format = "yyyy-mm-dd hh:mm"
            return cell
        case date():
            cell = WriteOnlyCell(sheet, value=cast("Any", value))
            cell.number_format = "yyyy-mm-dd"
            return cell
        case Decimal() if len(value.as_tuple().digits) <= _MOST_EXACT_DIGITS:
            cell = WriteOnlyCell(sheet, value=cast("Any", value))  # the stubs know fewer types than the library
            cell.number_format = "0." + "0" * -exponent if (exponent := _exponent(value)) < 0 else "0"
            return cell
        case int() if abs(value) < 10**_MOST_EXACT_DIGITS:
            return WriteOnlyCell(sheet, value=value)
        case _:
            return _text_cell(sheet, str(value))


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _text_cell(sheet: Any, text: str) -> Any:  # Any: openpyxl has no types
    """A cell of the type text, which also stays text when somebody edits it in the spreadsheet."""
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", text)[:_LONGEST_CELL])
    cell.data_type = "s"
    cell.number_format = "@"
    cell.quotePrefix = text.startswith(FORMULA_STARTS)
    return cell
