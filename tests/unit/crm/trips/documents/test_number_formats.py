"""A card number of which a cell's format writes a part is seen as a reader shows it. Published test numbers only."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.data_source import NumData, NumVal
from openpyxl.chart.label import DataLabelList
from openpyxl.formatting.rule import Rule
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat as NumberFormatStyle
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from chassis.cards.detector import holds_card
from services.crm.trips.documents import number_formats
from services.crm.trips.documents.number_formats import NumberFormat, serial
from services.crm.trips.documents.rules import FileRefused, file_type
from services.crm.trips.documents.screening import screen
from tests.support.office_files import packed


def is_refused(content: bytes, name: str) -> bool:
    words = ""
    try:
        screen(content, file_type(content, name))
    except FileRefused as refused:
        words = str(refused)
    assert "card number" in words or not words
    return bool(words)


def workbook(*cells: tuple[object, str]) -> bytes:
    """A row of values with their formats, as openpyxl writes it."""
    book = Workbook()
    sheet = book.worksheets[0]
    for at, (value, number_format) in enumerate(cells, 1):
        cell = sheet.cell(1, at)
        cell.value, cell.number_format = value, number_format  # type: ignore[assignment]  # any value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("value", "number_format"),
    [
        (1111, '"4111 1111 1111 "0000'),
        (1111, '"4111-1111-1111-"0'),
        (1111, r"\4\1\1\1\ \1\1\1\1\ \1\1\1\1\ 0000"),
        (41111111, '0000" 1111 "0000" 1111"'),
        (11, r"4111\ 1111\ 1111\ \1\10#"),
        (1111, '[Red]"4111 1111 1111 "General'),
        (1111.4, '[>2000]"many "0;"4111 1111 1111 "0000'),
        (1111000, '"4111 1111 1111 "0000,'),
        (11.11, '"4111 1111 1111 "0%'),
        (1, '"4111 1111 1111 111"?'),
        (1111, "[$4111 1111 1111 -409]0000"),
        (1.0, '"3782 822463 "0"0005"'),
        (-1111, '0;"4111 1111 1111 "0000'),
        ("1111", '0;0;0;"4111 1111 1111 "@'),
        ("1111", '"4111 1111 1111 "@'),
    ],
)
def test_a_format_that_holds_most_of_a_card_is_read_as_it_is_shown(value: object, number_format: str) -> None:
    assert is_refused(workbook((value, number_format)), "x.xlsx")
    assert not is_refused(workbook((value, "General")), "x.xlsx")


def test_a_format_that_a_condition_gives_to_a_cell_is_read_too() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet["A1"] = 1111
    written = DifferentialStyle(numFmt=NumberFormatStyle(numFmtId=170, formatCode='"4111 1111 1111 "0000'))
    rule = Rule(type="expression", dxf=written, formula=["TRUE"])
    sheet.conditional_formatting.add("A1:A9", rule)
    out = io.BytesIO()
    book.save(out)
    assert is_refused(out.getvalue(), "x.xlsx")
    sheet["A1"] = 1112
    book.save(other := io.BytesIO())
    assert not is_refused(other.getvalue(), "x.xlsx")


def test_formats_that_write_more_than_can_be_looked_at_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_formats, "_MOST_SHOWN", 1_000)
    written = ";".join(f'"{number} of 9"0' for number in range(100))
    few, many = (workbook(*[(1112, written)] * count) for count in (9, 90))
    assert not is_refused(few, "x.xlsx")
    with pytest.raises(FileRefused, match="more than can be looked through"):
        screen(many, file_type(many, "x.xlsx"))


def test_cells_that_show_the_groups_of_a_card_side_by_side_are_seen() -> None:
    shown = [(4, '0"111"'), (1, '"111"0'), (1, '"111"0'), (1111, "0")]
    assert is_refused(workbook(*shown), "x.xlsx")
    assert not is_refused(workbook(*((value, "0") for value, _ in shown)), "x.xlsx")


SHOWN_BY_DAYS_AND_TIMES = [
    (date(2026, 11, 11), '"4111 1111 1111 "ddmm'),
    (date(1911, 11, 11), '"4111 1111 1111 1"d"1"'),
    (date(2003, 5, 1), '"222300312"yyyy"222";@'),
    (date(1900, 1, 1), '"4111 1111 1111 111"d'),
    (datetime(2026, 1, 5, 11, 11, 11), r'"4111 1111 11"hh\ mmss'),  # noqa: DTZ001
    (datetime(2026, 1, 5, 23, 11), '"4111 1111 1111 1"h"1" AM/PM'),  # noqa: DTZ001
    (datetime(2026, 1, 5, 0, 41, 11), '[$-409]mmss" 1111 1111 1111"'),  # noqa: DTZ001
    (datetime(2026, 1, 5, 0, 0, 11, 110000), '"4111.1111.11"ss.00"11"'),  # noqa: DTZ001
    (time(11, 11), '"4111 1111 1111 "hhmm'),
    (timedelta(hours=4111), '[h]" 1111 1111 1111"'),
    (timedelta(hours=4111, minutes=11, seconds=11), '[h]" "mmss" 1111 1111"'),
    (timedelta(minutes=4111), '[m]" 1111 1111 1111"'),
    (timedelta(seconds=4111), '[<5]0;[s]" 1111 1111 1111"'),
    # 11 February 1901.
    (408, '"4111 1111 1111 11"mm;"4111 1111 1111 1"d"1"'),
]


@pytest.mark.parametrize(("value", "number_format"), SHOWN_BY_DAYS_AND_TIMES)
def test_a_day_or_time_whose_format_holds_most_of_a_card_is_read_as_it_is_shown(
    value: object, number_format: str
) -> None:
    assert is_refused(workbook((value, number_format)), "x.xlsx")
    assert not is_refused(workbook((value, "General")), "x.xlsx")


@pytest.mark.parametrize(
    ("value", "number_format"),
    [
        (3475550123, '"+1 "(000) 000-0000'),
        (2345678908, '"220-"0000000000'),
        (1240.5, '"US$ "#,##0.00" (7 nights)"'),
        (45000, '"Week 1, "d mmm yyyy'),
        (date(2026, 11, 12), '"4111 1111 1111 "ddmm'),
        (1111, '0.00E+00" of 4111 1111 1111"'),
        (1111, '# ?/16" of 4111"'),
        (1112, '"4111 1111 1111 "0000'),
        (True, '"4111 1111 1111 "0000'),
        (None, '"4111 1111 1111 "0000'),
        (1e300, '"4111 1111 1111 "0000'),
    ],
)
def test_other_formats_with_digits_of_their_own_pass(value: object, number_format: str) -> None:
    assert not is_refused(workbook((value, number_format)), "x.xlsx")


def test_a_day_in_a_workbook_that_counts_from_1904_is_read_as_it_is_shown() -> None:
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    cell = book.worksheets[0]["A1"]
    cell.value, cell.number_format = date(2026, 11, 11), '"4111 1111 1111 "ddmm'
    book.save(out := io.BytesIO())
    assert is_refused(out.getvalue(), "x.xlsx")


def test_a_day_that_the_cell_keeps_as_text_is_read_as_it_is_shown() -> None:
    book = Workbook(iso_dates=True)
    cell = book.worksheets[0]["A1"]
    cell.value, cell.number_format = datetime(2026, 11, 28, 11, 11), '"4111 1111 1111 "hhmm'  # noqa: DTZ001
    book.save(out := io.BytesIO())
    assert is_refused(out.getvalue(), "x.xlsx")


def test_cells_that_show_the_groups_of_a_card_as_times_side_by_side_are_seen() -> None:
    shown = [timedelta(hours=4111), *[timedelta(hours=1111)] * 3]
    assert is_refused(workbook(*((value, "[h]") for value in shown)), "x.xlsx")
    assert not is_refused(workbook(*((value, "[h]:mm") for value in shown)), "x.xlsx")


@given(
    st.datetimes(max_value=datetime(2999, 1, 1)),  # noqa: DTZ001
    st.sampled_from(["yyyymmddhhmmss", "yyyy mm dd hh mm ss", "yyyymmdd hhmm", "dd mm yy", "ddmmyyyy"]),
)
def test_days_and_times_without_other_digits_are_no_card(moment: datetime, code: str) -> None:
    shown = NumberFormat(code).shown(serial(moment.isoformat()), is_text=False)
    assert shown
    assert not any(holds_card(text) for text in shown)


def charted(change: Callable[[BarChart], object], number_format: str = "General") -> bytes:
    """A workbook with a chart of 1111, whose cell is not formatted."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet["A1"] = 1111
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=1, min_row=1))
    drawn = NumData(pt=[NumVal(idx=0, v="1111")], formatCode=number_format)
    chart.series[0].val.numRef.numCache = drawn
    change(chart)
    sheet.add_chart(chart)
    book.save(out := io.BytesIO())
    return out.getvalue()


def _label(chart: BarChart) -> None:
    chart.dataLabels = DataLabelList(numFmt='"4111 1111 1111 "0000', showVal=True)


def _axis_of_values(chart: BarChart) -> None:
    chart.y_axis.number_format = '"4111 1111 1111 "0000'


def _end_of_an_axis(chart: BarChart) -> None:
    chart.y_axis.number_format = '"3782 822463 "00000'
    chart.y_axis.scaling.min = 10005


def _point(chart: BarChart) -> None:
    chart.series[0].val.numRef.numCache.pt[0].formatCode = '"4111 1111 1111 "0000'


def _as_it_is(_: BarChart) -> None:
    """No format of its own."""


@pytest.mark.parametrize("change", [_label, _axis_of_values, _end_of_an_axis, _point])
def test_a_chart_whose_format_holds_most_of_a_card_is_read_as_it_is_shown(change: Callable[[BarChart], object]) -> None:
    assert is_refused(charted(change), "x.xlsx")
    assert is_refused(charted(_as_it_is, '"4111 1111 1111 "0000'), "x.xlsx")
    assert not is_refused(charted(_as_it_is, '"US$ "0.00'), "x.xlsx")


def test_a_letters_chart_and_one_of_a_newer_kind_are_read_as_they_are_shown() -> None:
    newer = """<c:v xmlns:c="c"><c:lvl formatCode='"4111 1111 1111 "0'><c:pt idx="0">{}</c:pt></c:lvl></c:v>"""
    letter = {"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"}
    for value, refused in (("1111", True), ("1112", False)):
        chart = newer.format(value)
        assert is_refused(packed({**letter, "word/charts/chartEx1.xml": chart}), "x.docx") == refused


def test_a_condition_that_stands_in_the_sheet_itself_is_read_too() -> None:
    book = zipfile.ZipFile(io.BytesIO(workbook((1111, "General"))))
    parts: dict[str, str | bytes] = {name: book.read(name) for name in book.namelist()}
    written = (
        b"""<extLst><ext xmlns:x="x"><x:dxf><numFmt numFmtId="9" formatCode='"4111 1111 1111 "0'/></x:dxf></ext>"""
    )
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert isinstance(sheet, bytes)
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b"</worksheet>", written + b"</extLst></worksheet>")
    assert is_refused(packed(parts), "x.xlsx")


NAMESPACES = 'xmlns:o="o" xmlns:s="s" xmlns:n="n" xmlns:t="t" xmlns:x="x"'
PLACES = '<n:number n:min-integer-digits="4"/>'
WRITTEN = f'<n:number-style s:name="N1"><n:text>4111 1111 1111 </n:text>{PLACES}</n:number-style>'
STYLE = '<s:style s:name="ce1" s:family="table-cell" s:data-style-name="N1"/>'
NUMBER = '<t:table-cell o:value-type="float" o:value="1111"{style}><x:p>1111</x:p></t:table-cell>'
NAMED = NUMBER.format(style=' t:style-name="ce1"')
BLANKS = '<t:table-cell t:number-columns-repeated="40"/>'


def sheet(styles: str, cell: str, *, columns: str = "", row: str = "", others: str = "<d/>") -> bytes:
    # The titles part what stands in the styles from what stands in the cells.
    titles = "<t:table-row><t:table-cell><x:p>Hotel</x:p></t:table-cell></t:table-row>"
    table = f"<t:table>{columns}{titles}<t:table-row{row}>{cell}</t:table-row></t:table>"
    return packed(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": f"<d {NAMESPACES}>{styles}{table}</d>",
            "styles.xml": others,
        }
    )


@pytest.mark.parametrize(
    "content",
    [
        sheet(WRITTEN + STYLE, NAMED),
        sheet("", NAMED, others=f"<d {NAMESPACES}>{WRITTEN}{STYLE}</d>"),
        sheet(
            WRITTEN + '<s:style s:name="base" s:family="table-cell" s:data-style-name="N1"/>'
            '<s:style s:name="ce1" s:family="table-cell" s:parent-style-name="base"/>',
            NAMED,
        ),
        sheet(
            WRITTEN + STYLE,
            BLANKS + NUMBER.format(style=""),
            columns='<t:table-column t:number-columns-repeated="40"/><t:table-column t:default-cell-style-name="ce1"/>',
        ),
        sheet(WRITTEN + STYLE, NUMBER.format(style=""), row=' t:default-cell-style-name="ce1"'),
        sheet(
            '<n:number-style s:name="N1"><n:number n:min-integer-digits="8">'
            '<n:embedded-text n:position="4"> 1111 1111 </n:embedded-text></n:number></n:number-style>' + STYLE,
            NAMED.replace("1111", "41111111"),
        ),
        sheet(
            '<n:number-style s:name="N1"><n:number/><s:map s:condition="value()&gt;0" s:apply-style-name="N2"/>'
            "</n:number-style>" + WRITTEN.replace("N1", "N2") + STYLE,
            NAMED,
        ),
        sheet(
            f'{WRITTEN}{STYLE}<s:style s:name="ce2" s:family="table-cell"><s:map s:apply-style-name="ce1"/></s:style>',
            NUMBER.format(style=' t:style-name="ce2"'),
        ),
        sheet(
            '<n:text-style s:name="N1"><n:text>4111 1111 1111 </n:text><n:text-content/></n:text-style>' + STYLE,
            '<t:table-cell o:value-type="string" t:style-name="ce1"><x:p>1111</x:p></t:table-cell>',
        ),
    ],
    ids=["own", "styles.xml", "parent", "column", "row", "within", "condition", "another on a condition", "text"],
)
def test_an_opendocument_style_is_read_as_it_is_shown(content: bytes) -> None:
    assert is_refused(content, "x.ods")


DATED = STYLE + '<n:date-style s:name="N1">{}</n:date-style>'
TIMED = STYLE + '<n:time-style s:name="N1"{}>{}</n:time-style>'
DAY = '<t:table-cell o:value-type="date" o:date-value="{}" t:style-name="ce1"><x:p>day</x:p></t:table-cell>'
TIME = '<t:table-cell o:value-type="time" o:time-value="{}" t:style-name="ce1"><x:p>time</x:p></t:table-cell>'
TWELVE = "<n:text>4111 1111 1111 </n:text>"
ON = ' n:truncate-on-overflow="false"'


@pytest.mark.parametrize(
    "content",
    [
        sheet(DATED.format(TWELVE + '<n:day n:style="long"/><n:month n:style="long"/>'), DAY.format("2026-11-11")),
        sheet(
            DATED.format('<n:text>222300312</n:text><n:year n:style="long"/><n:text>222</n:text>'),
            DAY.format("2003-05-01"),
        ),
        sheet(DATED.format(TWELVE + "<n:hours/><n:minutes/>"), DAY.format("2026-11-28T11:11:00")),
        sheet(DATED.format(TWELVE + "<n:day/><n:text>11</n:text>"), NAMED.replace("1111", "41954")),
        sheet(TIMED.format("", TWELVE + "<n:hours/><n:minutes/>"), TIME.format("PT11H11M00S")),
        sheet(TIMED.format(ON, TWELVE + "<n:hours/>"), TIME.format("PT1111H00M00S")),
        sheet(
            TIMED.format("", TWELVE + '<n:minutes/><n:seconds n:decimal-places="2"/>'),
            TIME.format("PT5H11M11.00S"),
        ),
        sheet(DATED.format(TWELVE + '<n:year n:style="long"/>'), DAY.format("1111-05-01")),
        sheet(WRITTEN + STYLE, DAY.format("1903-01-15")),
    ],
    ids=[
        "day",
        "year",
        "time of a day",
        "number as a day",
        "time",
        "hours",
        "hundredths",
        "an early year",
        "day as a number",
    ],
)
def test_an_opendocument_day_or_time_is_read_as_it_is_shown(content: bytes) -> None:
    assert is_refused(content, "x.ods")


def chart_object(family: str, value: str = "1111") -> bytes:
    """An OpenDocument sheet with an object that has a value and, by this family's style, its format."""
    style = STYLE.replace("table-cell", family)
    chart = f"<d {NAMESPACES}>{WRITTEN}{style}<x:p>Hotel</x:p><t:table-row>{NUMBER.format(style='')}</t:table-row></d>"
    return packed(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": "<d/>",
            "styles.xml": "<d/>",
            "Object 1/content.xml": chart.replace("1111<", f"{value}<").replace('e="1111"', f'e="{value}"'),
            "Object 1/styles.xml": "<d/>",
        }
    )


def test_an_opendocument_chart_is_read_as_it_is_shown() -> None:
    assert is_refused(chart_object("chart"), "x.ods")
    assert not is_refused(chart_object("chart", "1112"), "x.ods")
    assert not is_refused(chart_object("graphic"), "x.ods")


def test_a_sheet_within_a_document_is_read_as_it_is_shown() -> None:
    inner = sheet(WRITTEN + STYLE, NAMED)
    book = zipfile.ZipFile(io.BytesIO(inner))
    parts: dict[str, str | bytes] = {f"Object 1/{name}": book.read(name) for name in book.namelist()[1:]}
    letter = {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<d/>"}
    assert is_refused(packed({**letter, **parts}), "x.odt")


MANY = 10_000
CHAIN = "".join(
    f'<s:style s:name="c{at}" s:family="table-cell" s:parent-style-name="c{at + 1}"/>' for at in range(MANY)
)
MAPS = "".join(f'<s:map s:apply-style-name="M{at}"/>' for at in range(MANY))
APPLIED = '<s:style s:name="ce2" s:family="table-cell"><s:map s:apply-style-name="ce1"/></s:style>' * MANY
LONG = f'<n:number-style s:name="B"><n:text>{"4" * 900}</n:text></n:number-style>'
NAMES_IT = "".join(
    f'<n:number-style s:name="N{at}"><s:map s:apply-style-name="B"/></n:number-style>' for at in range(MANY)
)


@pytest.mark.parametrize(
    "styles",
    [CHAIN, WRITTEN.replace("<n:text>", f"{MAPS}<n:text>") + STYLE + APPLIED, LONG + NAMES_IT],
    ids=["parents", "conditions", "one named by all"],
)
def test_many_styles_take_time_in_proportion(styles: str) -> None:
    begun = process_time()
    assert not is_refused(sheet(styles, "<t:table-cell/>"), "x.ods")
    assert process_time() - begun < 8


def test_styles_whose_parents_go_round_have_none() -> None:
    style = '<s:style s:name="{}" s:family="table-cell" s:parent-style-name="{}"/>'
    assert not is_refused(sheet(WRITTEN + style.format("ce1", "ce2") + style.format("ce2", "ce1"), NAMED), "x.ods")
    assert is_refused(sheet(WRITTEN + STYLE + style.format("ce2", "ce1"), NAMED.replace("ce1", "ce2")), "x.ods")


def test_an_opendocument_style_of_other_cells_is_left_alone() -> None:
    columns = '<t:table-column/><t:table-column t:default-cell-style-name="ce1"/>'
    assert not is_refused(sheet(WRITTEN + STYLE, NUMBER.format(style=""), columns=columns), "x.ods")
    assert not is_refused(sheet(WRITTEN, NAMED), "x.ods")


@given(st.text('0#?.,%;@"\\_*[$-409]Eymdhsgb/1 ', max_size=40), st.integers() | st.floats())
@example('"4"' + "0" * 40, 1)
@example("4;" * 500, -0.0)
@example("[h].000 yyyy", 99999999999999999999.0)
def test_any_format_is_read_and_no_fault(code: str, value: float) -> None:
    written = NumberFormat(code)
    assert all(len(shown) < 400 for shown in written.shown(repr(value), is_text=False))
    assert written.shown("Ann", is_text=True) == [] or "@" in code
