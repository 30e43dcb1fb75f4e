"""A workbook of ours as LibreOffice reads it; only where it is installed (apt-get install libreoffice-calc)."""

import csv
import shutil
import subprocess
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask

from services.crm.core.export import table_response

OFFICE = shutil.which("soffice")
# Comma, quotation mark, UTF-8, from the first line; what cells hold and not how they are shown.
_AS_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
TYPED = (
    *("=1+1", "+1-305-555-0142", "@SUM(1)", "-5", "'typed", "0012345", "12345678901234567890", "1E5", "3-4", "TRUE"),
    *('=HYPERLINK("http://x.example","y")', "=cmd|' /C calc'!A0", "＝1+1", "O’Brien", "2026-12-31", "1,234.50", "100%"),
)


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed here")
@pytest.mark.timeout(180)
def test_every_text_stands_in_its_cell_as_it_was_typed(tmp_path: Path) -> None:
    rows = [(text, date(2026, 12, 31), Decimal("1240.50"), 12) for text in TYPED]
    with Flask(__name__).test_request_context("/clients.xlsx"):
        (tmp_path / "list.xlsx").write_bytes(table_response("list", ("Text", "Day", "Amount", "Number"), rows).data)
    command = [str(OFFICE), f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", _AS_CSV]
    subprocess.run([*command, "--outdir", str(tmp_path), str(tmp_path / "list.xlsx")], check=True, capture_output=True)
    (made,) = tmp_path.glob("*.csv")
    read = list(csv.reader(made.read_text("utf-8").splitlines()))
    assert [row[0] for row in read[1:]] == list(TYPED)
    assert {tuple(row[2:]) for row in read[1:]} == {("1240.5", "12")}
