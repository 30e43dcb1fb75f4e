"""A card number of which a cell's format writes a part is seen as a reader shows it. Published test numbers only."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.formatting.rule import Rule
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat as NumberFormatStyle

from services.crm.trips.documents.number_formats import NumberFormat
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


def test_cells_that_show_the_groups_of_a_card_side_by_side_are_seen() -> None:
    shown = [(4, '0"111"'), (1, '"111"0'), (1, '"111"0'), (1111, "0")]
    assert is_refused(workbook(*shown), "x.xlsx")
    assert not is_refused(workbook(*((value, "0") for value, _ in shown)), "x.xlsx")


@pytest.mark.parametrize(
    ("value", "number_format"),
    [
        (3475550123, '"+1 "(000) 000-0000'),
        (2345678908, '"220-"0000000000'),
        (1240.5, '"US$ "#,##0.00" (7 nights)"'),
        (45000, '"Week 1, "d mmm yyyy'),
        (1111, '# ?/16" of 4111"'),
        (1112, '"4111 1111 1111 "0000'),
        (True, '"4111 1111 1111 "0000'),
        (None, '"4111 1111 1111 "0000'),
        (1e300, '"4111 1111 1111 "0000'),
    ],
)
def test_other_formats_with_digits_of_their_own_pass(value: object, number_format: str) -> None:
    assert not is_refused(workbook((value, number_format)), "x.xlsx")


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


def test_an_opendocument_style_of_other_cells_is_left_alone() -> None:
    columns = '<t:table-column/><t:table-column t:default-cell-style-name="ce1"/>'
    assert not is_refused(sheet(WRITTEN + STYLE, NUMBER.format(style=""), columns=columns), "x.ods")
    assert not is_refused(sheet(WRITTEN, NAMED), "x.ods")


@given(st.text('0#?.,%;@"\\_*[$-409]Ey1 ', max_size=40), st.integers() | st.floats())
@example('"4"' + "0" * 40, 1)
@example("4;" * 500, -0.0)
def test_any_format_is_read_and_no_fault(code: str, value: float) -> None:
    written = NumberFormat(code)
    assert all(len(shown) < 400 for shown in written.shown(repr(value), is_text=False))
    assert written.shown("Ann", is_text=True) == [] or "@" in code
