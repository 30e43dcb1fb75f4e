import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from services.crm.core.export import table_response
from tests.support.thorough import examples

APP = Flask(__name__)


def made(path: str, *rows: tuple[object, ...]) -> bytes:
    with APP.test_request_context(path):
        response = table_response("clients", ("Name", "Phone"), rows)
    assert response.headers["Content-Disposition"].endswith(f'"clients.{path.rpartition(".")[2]}"')
    return response.get_data()


def xlsx_rows(*rows: tuple[object, ...]) -> list[tuple[Any, ...]]:  # Any: openpyxl's cells
    sheet = load_workbook(io.BytesIO(made("/clients.xlsx", *rows))).worksheets[0]
    return list(sheet.iter_rows(min_row=2))


def csv_rows(*rows: tuple[object, ...]) -> list[list[str]]:
    text = made("/clients.csv", *rows).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


AS_TYPED = [
    "+1-305-555-0142",
    "+49-30-1234567",
    "+4420 7946 0958",
    "+13055550142",
    "00123",
    "1234567890123456",
    "=1+1",
    "=HYPERLINK(1)",
    "-5",
    "@SUM(A1)",
    "1-2",
    "1E5",
    "TRUE",
    "\tx",
    "＝1+1",
    "O’Brien",
    " leading",
    "two\nlines",
]


@pytest.mark.parametrize("text", AS_TYPED)
def test_a_workbooks_cell_is_the_text_as_it_was_typed(text: str) -> None:
    [(cell, _)] = xlsx_rows((text, "end"))
    assert (cell.value, cell.data_type, cell.number_format) == (text, "s", "@")


@settings(deadline=None, max_examples=examples(60))
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=50))
def test_no_text_becomes_anything_else_in_a_workbook(text: str) -> None:
    [(cell, last)] = xlsx_rows((text, "end"))
    kept = ILLEGAL_CHARACTERS_RE.sub("", text)
    assert last.value == "end"
    assert cell.data_type != "f"
    # XML knows one kind of line end.
    assert (cell.value or "") == kept or "\r" in text


@settings(deadline=None)
@given(st.sampled_from(["=", "+", "-", "@", "\t", "\r", " =", "＋"]), st.text(max_size=20))
def test_no_cell_of_a_csv_can_be_computed(start: str, rest: str) -> None:
    [[cell]] = csv_rows((f"{start}a{rest}",))
    assert cell.startswith("'")


@pytest.mark.parametrize(
    "phone", ["+1-305-555-0142", "+49-30-1234567", "+1/305/555", "+1.305.555.0142", "+13055550142"]
)
def test_a_phone_that_a_spreadsheet_would_compute_is_text_in_a_csv(phone: str) -> None:
    assert csv_rows((phone,)) == [[f"'{phone}"]]


def test_numbers_days_and_moments_have_their_types_in_a_workbook() -> None:
    at = datetime(2026, 11, 27, 3, 17, tzinfo=UTC)
    row = (7, Decimal("1240.00"), date(2026, 11, 21), at, None, True, 10**18)
    [cells] = xlsx_rows(row)
    assert [cell.value for cell in cells[:4]] == [
        7,
        1240,
        datetime(2026, 11, 21, tzinfo=UTC).replace(tzinfo=None),
        at.replace(tzinfo=None),
    ]
    assert [cell.value for cell in cells[4:]] == [None, "yes", str(10**18)]
    assert cells[1].number_format == "0.00"
    assert csv_rows(row) == [["7", "1240.00", "2026-11-21", "2026-11-27 03:17", "", "True", str(10**18)]]
