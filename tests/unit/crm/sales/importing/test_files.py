"""Files as Outlook, Google, Apple, Excel and other CRMs write them, read into rows and clients (C15)."""

from datetime import date

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from services.crm.core.export import table_response
from services.crm.sales.clients.rules import LIST_TITLES, ClientData
from services.crm.sales.importing.columns import Target, guess_columns
from services.crm.sales.importing.matching import Known, Likeness, filled_in
from services.crm.sales.importing.rows import Reading, ReadRow, Refused, is_day_first, read_row
from services.crm.sales.importing.tables import REFUSED_TITLES, Layout, NotATable, guess_layout, read_table

TODAY = date(2026, 11, 27)
APPLE = """BEGIN:VCARD\r
VERSION:3.0\r
N:Whitcombe;Eleanor;;;\r
FN:Eleanor Whitcombe\r
ORG:Whitcombe & Daughters;\r
item1.EMAIL;type=INTERNET;type=pref:eleanor@mail.exa\r
 mple\r
TEL;type=CELL;type=VOICE:+1 (401) 555-0102\r
item2.ADR;type=HOME;type=pref:;;12 Harbor Row\\, Apt 3;Newport;RI;02840;USA\r
BDAY:1961-04-12\r
NOTE:Aisle seat\\nNo nuts\r
END:VCARD\r
BEGIN:VCARD\r
VERSION:3.0\r
FN:Suharto\r
BDAY;X-APPLE-OMIT-YEAR=1604:1604-06-08\r
END:VCARD\r
"""
OUTLOOK_21 = (
    "BEGIN:VCARD\r\nVERSION:2.1\r\n"
    "N;CHARSET=windows-1252;ENCODING=QUOTED-PRINTABLE:M=FCller;J=F6rg\r\n"
    "ADR;HOME;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:;;Gro=C3=9Fe Elbstra=\r\n=C3=9Fe 1;Hamburg;;22767;Deutschland\r\n"
    "EMAIL;PREF;INTERNET:joerg@mail.example\r\nTEL;CELL;VOICE:+49 40 5550142\r\nEND:VCARD\r\n"
)
GOOGLE = (
    "First Name,Last Name,E-mail 1 - Value,Phone 1 - Value,Address 1 - Street,Address 1 - City,Address 1 - Country,"
    "Birthday,Notes\n"
    'Priya,Raman,priya@post.example,+44 20 7946 0018,"1 Kew Road\nFlat 2",London,United Kingdom,1988-02-29,Vegetarian\n'
)
CRM = "Client Name;Email;DOB;Zip;State;Cell\nSanjay Raman;sanjay@post.example;11/21/1985;02840;RI;(401) 555-0177\n"


def clients_of(content: bytes, *, day_first: bool = False) -> list[ClientData | Refused]:
    table = read_table(content, guess_layout(content))
    reading = Reading(targets=guess_columns(table), day_first=day_first)
    read = [read_row(row, reading, table.header, TODAY) for row in table.rows]
    return [row.data if isinstance(row, ReadRow) else row for row in read]


def belonging_of(content: bytes) -> list[tuple[str, str]]:
    table = read_table(content, guess_layout(content))
    reading = Reading(targets=guess_columns(table), day_first=False)
    read = [read_row(row, reading, table.header, TODAY) for row in table.rows]
    return [(row.company, row.household) for row in read if isinstance(row, ReadRow)]


def test_apples_cards_are_read_folded_grouped_and_escaped() -> None:
    eleanor, suharto = clients_of(APPLE.encode())
    assert eleanor == ClientData(
        first_name="Eleanor",
        last_name="Whitcombe",
        email="eleanor@mail.example",
        phone="+1 (401) 555-0102",
        birthday=date(1961, 4, 12),
        street="12 Harbor Row, Apt 3",
        city="Newport",
        region="RI",
        postal_code="02840",
        country="US",
        notes="Aisle seat\nNo nuts",
    )
    assert isinstance(suharto, ClientData)
    assert (suharto.first_name, suharto.birthday) == ("Suharto", None)


def test_company_and_household_are_known_by_the_words_of_outlook_google_and_cards() -> None:
    for word in ("Company", "Organization Name", "Organization 1 - Name", "Firma", "Organisation"):
        assert belonging_of(f"Name,{word},Household\nA B,Acme Ltd,The Bs\n".encode()) == [("Acme Ltd", "The Bs")]
    assert belonging_of(APPLE.encode())[0] == ("Whitcombe & Daughters", "")
    card = b"BEGIN:VCARD\nN:Lee;Ann\nORG:Acme;Sales;East\nEND:VCARD\n"
    assert belonging_of(card) == [("Acme", "")]
    (ann,) = clients_of(card)
    assert isinstance(ann, ClientData)
    assert ann.notes == "Department: Sales\nDepartment: East"
    assert belonging_of(b"First name,Company\n,Acme\n") == [("", "")], "the company is the client itself"


def test_outlooks_old_cards_are_decoded_over_soft_line_ends() -> None:
    (jorg,) = clients_of(OUTLOOK_21.encode())
    assert isinstance(jorg, ClientData)
    assert (jorg.first_name, jorg.last_name, jorg.street) == ("Jörg", "Müller", "Große Elbstraße 1")
    assert (jorg.country, jorg.phone) == ("DE", "+49 40 5550142")


def test_googles_contacts_are_read_with_line_ends_in_cells() -> None:
    (priya,) = clients_of(GOOGLE.encode())
    assert isinstance(priya, ClientData)
    assert (priya.email, priya.street, priya.country) == ("priya@post.example", "1 Kew Road Flat 2", "GB")
    assert (priya.birthday, priya.notes) == (date(1988, 2, 29), "Vegetarian")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_excels_encodings_and_separators_are_found(encoding: str, separator: str) -> None:
    text = separator.join(("Vorname", "Nachname", "E-Mail-Adresse")) + "\r\n"
    text += separator.join(("Zoë", "Müller", "zoe@mail.example")) + "\r\n"
    (zoe,) = clients_of(text.encode(encoding))
    assert isinstance(zoe, ClientData)
    assert (zoe.first_name, zoe.last_name, zoe.email) == ("Zoë", "Müller", "zoe@mail.example")


def test_excels_hint_of_its_separator_is_no_row() -> None:
    (one,) = clients_of(b"sep=;\r\nName;Email\r\nRaman, Priya;p@post.example\r\n")
    assert isinstance(one, ClientData)
    assert (one.first_name, one.last_name) == ("Priya", "Raman")


def test_a_crms_list_is_known_by_headers_and_one_without_by_its_content() -> None:
    (sanjay,) = clients_of(CRM.encode())
    assert isinstance(sanjay, ClientData)
    assert (sanjay.first_name, sanjay.last_name, sanjay.birthday) == ("Sanjay", "Raman", date(1985, 11, 21))
    table = read_table(b"Sanjay,s@post.example,401 555 0177,1985-11-21\n", guess_layout(b"Sanjay,s@post.example,1\n"))
    assert table.first_row == 1
    assert guess_columns(table) == (Target.IGNORE, Target.EMAIL, Target.PHONE, Target.BIRTHDAY)


def test_day_or_month_first_is_told_by_the_days_themselves() -> None:
    assert is_day_first(["3/4/1980", "21/4/1980"], usual=False)
    assert not is_day_first(["3/4/1980", "4/21/1980"], usual=True)
    assert is_day_first(["3/4/1980"], usual=True)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("Ann,Lee,not an address,,", "no e-mail address"),
        ("Ann,Lee,,call me,", "no phone number"),
        ("Ann,Lee,,,31/31/1980", "no birthday"),
        (",,ann@mail.example,,", "no name"),
        (f"{'A' * 81},Lee,,,", "longer than 80"),
    ],
)
def test_a_row_that_makes_no_client_says_why(row: str, why: str) -> None:
    content = f"First name,Last name,Email,Phone,Birthday\n{row}\n".encode()
    (refused,) = clients_of(content)
    assert isinstance(refused, Refused)
    assert why in refused.why


def test_what_a_client_has_no_place_for_goes_into_the_notes() -> None:
    content = b"Name,Email,Email 2 Address,Phone,Mobile,Company,Country\n"
    content += b"A B,a@x.example,b@x.example,1234567,2345678,Co,Atlantis\n"
    (one,) = clients_of(content)
    assert isinstance(one, ClientData)
    assert (one.email, one.second_phone) == ("a@x.example", "2345678")
    assert one.notes.splitlines() == ["Second e-mail: b@x.example", "Country: Atlantis"]
    assert belonging_of(content) == [("Co", "")]


_ROWS = "Name,Email,Code\r\nZoë Müller,z@x.example,00123\r\n"


@pytest.mark.parametrize(
    "content",
    [
        *(_ROWS.replace(",", "\t").encode(encoding) for encoding in ("utf-16-le", "utf-16-be", "utf-16")),
        *(_ROWS.replace("\r\n", end).encode() for end in ("\n", "\r", "\r\n\r\n")),
        *((hint + _ROWS.replace(",", ";")).encode() for hint in ("sep=;\r", "\ufeffSEP=;\r\n", "\ufeff\ufeffsep=;\n")),
        *(_ROWS.encode() + end for end in (b"\x1a", b"\x00\x00")),
        _ROWS.replace("00123", '="00123"').encode(),
        _ROWS.replace("00123", '"=""00123"""').encode(),
    ],
)
def test_a_list_is_read_as_programs_write_it_and_every_cell_stays_as_typed(content: bytes) -> None:
    table = read_table(content, guess_layout(content))
    assert table.header == ("Name", "Email", "Code")
    assert [tuple(row) for row in table.rows] == [("Zoë Müller", "z@x.example", "00123")]


_TITLES = {
    "a title": "Client list 2027\n",
    "a padded title": "Client list 2027,,\n",
    "title and date": "Harbour Travel,,\nExported 27/11/2026 14:03,by maya@harbour.example,\n",
    "blank rows": "\n,,\n\n",
    "all of it": "sep=,\n\nHarbour Travel\n,,\nClients,27 November 2026,\n\n",
}


@pytest.mark.parametrize("above", _TITLES)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("names", ["Name,Email,Code", "Nimi,Osoite,Koodi"])
def test_what_stands_above_the_names_of_columns_is_no_client(above: str, separator: str, names: str) -> None:
    text = _TITLES[above] + f"{names}\nZoë Müller,z@x.example,00123\nAnn Lee,a@x.example,\nBo,b@x.example,7\n"
    layout = guess_layout(text.replace(",", separator).encode())
    table = read_table(text.replace(",", separator).encode(), layout)
    assert (layout.separator, table.header, len(table.rows)) == (separator, tuple(names.split(",")), 3)
    rows = [line for line in text.splitlines() if not line.startswith("sep=")]
    assert table.first_row == rows.index("Zoë Müller,z@x.example,00123") + 1, "as a spreadsheet counts"


def test_names_of_one_column_are_found_below_a_title() -> None:
    content = b"Client list 2027\n\nName\nAnn Lee\nBo Roe\n"
    assert read_table(content, guess_layout(content)).rows == [["Ann Lee"], ["Bo Roe"]]
    assert guess_layout(b"4 Mar 2027\n12 12 12\n").header == 0


def test_a_list_without_names_of_columns_keeps_every_row() -> None:
    for text in ("Ann,,a@x.example\nBo,Roe,b@x.example\n", "Ann Lee\nBo Roe,b@x.example\nCy,c@x.example\n"):
        layout = guess_layout(text.encode())
        assert len(read_table(text.encode(), Layout(encoding="utf-8", separator=",", header=0)).rows) == text.count(
            "\n"
        )
        assert layout.header <= 1


@given(st.lists(st.lists(st.text("ab1 \u0301", max_size=3), min_size=1, max_size=4), max_size=8), st.integers(0, 30))
def test_whatever_row_is_chosen_each_other_one_is_read_or_left_out(cells: list[list[str]], header: int) -> None:
    content = "\n".join(",".join(row) for row in [["x"], *cells]).encode()
    table = read_table(content, Layout(encoding="utf-8", separator=",", header=header))
    filled = [number for number, row in enumerate([["x"], *cells], 1) if "".join(row).strip()]
    read = [number for number in filled if number >= header]
    assert len(table.rows) == len(read) - bool(header and read)
    assert list(table.beginning) == filled[:20]


def test_a_few_letters_in_another_encoding_spoil_no_other() -> None:
    content = _ROWS.encode() + "Café,c@x.example,1\r\n".encode("cp1252")
    assert [row[0] for row in read_table(content, guess_layout(content)).rows] == ["Zoë Müller", "Café"]
    for encoding in ("cp932", "gb18030", "cp949"):
        typed = "Name,Email\r\n山田,a@x.example\r\n".encode(encoding)
        layout = Layout(encoding=encoding, separator=",", header=1)
        assert read_table(typed, layout).rows == [["山田", "a@x.example"]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04" + b"\x00" * 40, "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 40, "workbook"),
        (b"%PDF-1.7\n1 0 obj", "PDF"),
        (b"\xef\xbb\xbf <html><table><tr><td>Name", "web page"),
        (b'[{"Name": "Ann"}]', "JSON"),
        (b'Name,Email\r\n"Ann,a@x.example\r\nBob,b@x.example\r\n', "never ends"),
        (b'Name,Email\r\nAnn,"a@x.example', "never ends"),
    ],
)
def test_what_was_chosen_in_a_lists_place_is_named_with_a_way_out(content: bytes, words: str) -> None:
    with pytest.raises(NotATable, match=words):
        read_table(content, guess_layout(content))


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"BEGIN:VCARD\nVERSION:3.0\n"])
def test_what_is_no_list_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(NotATable):
        read_table(content, guess_layout(content))


def csv_of(header: tuple[str, ...], *rows: tuple[str, ...]) -> bytes:
    """A list as we export it."""
    with Flask(__name__).test_request_context("/clients.csv"):
        return bytes(table_response("clients", header, rows).data)


@given(st.lists(st.text(st.sampled_from("'=+-@ a1\u00a0"), max_size=6), min_size=11, max_size=11))
def test_what_we_exported_comes_back_as_it_was_typed(cells: list[str]) -> None:
    content = csv_of(LIST_TITLES, ("Ada", *cells[1:]))
    assert read_table(content, guess_layout(content)).rows == [["Ada", *cells[1:]]]


def test_an_apostrophe_that_somebody_typed_stays() -> None:
    typed = ("'=sum", "'+1-305-555-0142", "'t Hooft", "''", "'")
    content = "\n".join(["First name,E-mail", *(f"{text},a@b.example" for text in typed)]).encode()
    assert [row[0] for row in read_table(content, guess_layout(content)).rows] == list(typed)
    # Our list with its columns in another order is still ours, and so is the list of refused rows.
    turned = csv_of(tuple(reversed(LIST_TITLES)), ("=x", *[""] * 9, "'=y"))
    assert [row[::10] for row in read_table(turned, guess_layout(turned)).rows] == [["=x", "'=y"]]
    refused = csv_of((*REFUSED_TITLES, "Name"), ("2", "Why", "'=z"))
    assert [row[2] for row in read_table(refused, guess_layout(refused)).rows] == ["'=z"]


@given(st.binary(max_size=400))
def test_any_bytes_are_a_table_or_refused_in_words(content: bytes) -> None:
    try:
        table = read_table(content, guess_layout(content))
    except NotATable:
        return
    reading = Reading(targets=guess_columns(table), day_first=True)
    for row in table.rows:
        assert len(row) == len(table.header)
        read_row(row, reading, table.header, TODAY)


@given(st.lists(st.lists(st.text(max_size=20), min_size=len(Target), max_size=len(Target)), max_size=4), st.booleans())
def test_any_cells_make_a_client_or_a_reason(rows: list[list[str]], day_first: bool) -> None:
    reading = Reading(targets=tuple(Target), day_first=day_first)
    for row in rows:
        read = read_row(row, reading, tuple(Target), TODAY)
        assert read.why if isinstance(read, Refused) else read.data.first_name or read.data.last_name


def test_a_couple_that_shares_an_address_is_two_and_a_short_name_is_the_same() -> None:
    known = Known()
    known.add("c1", ClientData(first_name="Eleanor", last_name="Whitcombe", email="w@mail.example"))
    same = known.find(ClientData(first_name="ELEANOR", last_name="whitcombe", email="W@mail.example"))
    assert same is not None
    assert (same.client_id, same.likeness) == ("c1", Likeness.SURE)
    assert known.find(ClientData(first_name="Robert", last_name="Whitcombe", email="w@mail.example")) is None
    by_name = known.find(ClientData(first_name="Eleanor", last_name="Whitcombe"))
    assert by_name is not None
    assert by_name.likeness is Likeness.NAME


def test_a_phone_is_the_same_however_it_is_written() -> None:
    known = Known()
    known.add("c1", ClientData(first_name="A", last_name="B", phone="+1 (401) 555-0102"))
    found = known.find(ClientData(first_name="A", last_name="B", phone="401.555.0102"))
    assert found is not None
    assert found.likeness is Likeness.SURE


def test_filling_in_overwrites_nothing() -> None:
    kept = ClientData(first_name="A", last_name="B", email="a@x.example", city="Newport", notes="Old")
    new = ClientData(
        first_name="A.", last_name="B", email="z@x.example", phone="1234567", street="1 Row", city="Rome", notes="New"
    )
    made = filled_in(kept, new)
    assert (made.first_name, made.email, made.city, made.street) == ("A", "a@x.example", "Newport", "")
    assert (made.phone, made.notes) == ("1234567", "Old\n\nNew")


def test_a_layout_that_does_not_fit_is_refused() -> None:
    with pytest.raises(NotATable, match="UTF-16"):
        read_table(b"abc", Layout(encoding="utf-16", separator=",", header=0))
