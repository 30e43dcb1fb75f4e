"""Printed sheets: the itinerary on paper, scripts, standards."""

import io
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache

import pytest
from fontTools import unicodedata as scripts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from chassis.itinerary import Leg, plan
from chassis.paper import faces, sheet
from chassis.paper.itinerary import Itinerary, pdf
from chassis.paper.letterhead import Letterhead, PaperSize, paper_for
from chassis.paper.sheet import Sheet
from tests.support.thorough import examples

_LEG = Leg(
    id="seg_1",
    kind="cruise",
    supplier="Aurora Cruises",
    begins_on=date(2027, 6, 5),
    ends_on=date(2027, 6, 12),
    text="Balcony cabin on deck 7",
    confirmation="AC-7781",
)
_TRIP = Itinerary(
    head=Letterhead(name="Harbour & Vine Travel", contact="+1 212 555 0100", accent="#ffcc00", paper=PaperSize.LETTER),
    title="Norwegian fjords for two",
    dates="Sat 5 Jun – Sat 12 Jun 2027",
    travelers=("Grace Hopper", "王伟", "ليلى"),
    advisor="Maya Okafor",
    plan=plan([_LEG]),
    cancelled=False,
    changed_at=datetime(2026, 11, 21, tzinfo=UTC),
)


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def test_it_says_who_travels_where_and_whom_to_call() -> None:
    text = text_of(pdf(_TRIP))
    for words in (
        "Norwegian fjords for two",
        "Grace Hopper",
        "Aurora Cruises",
        "AC-7781",
        "Maya Okafor",
        "Page 1 of 1",
    ):
        assert words in text


def test_the_same_trip_gives_the_same_bytes() -> None:
    assert pdf(_TRIP) == pdf(_TRIP)


def test_a_long_trip_goes_on_over_pages_and_loses_nothing() -> None:
    legs = [replace(_LEG, supplier=f"Supplier {number}") for number in range(20)]
    content = pdf(replace(_TRIP, plan=plan(legs), title="T" * 160))
    text = text_of(content)
    assert len(PdfReader(io.BytesIO(content)).pages) > 1
    assert [number for number in range(20) if f"Supplier {number}" not in text] == []


def test_a_cancelled_trip_and_one_without_parts_say_so() -> None:
    text = text_of(pdf(replace(_TRIP, cancelled=True, plan=plan([]))))
    assert "This trip was cancelled." in text
    assert "Nothing is booked yet." in text


@pytest.mark.parametrize(
    ("chosen", "zone", "wanted", "width"),
    [
        ("", "America/New_York", PaperSize.LETTER, 612),
        ("", "Europe/Berlin", PaperSize.A4, 595),
        ("a4", "America/Sao_Paulo", PaperSize.A4, 595),
        ("us-letter", "Asia/Manila", PaperSize.LETTER, 612),
        ("foolscap", "Europe/Paris", PaperSize.A4, 595),
    ],
)
def test_the_paper_is_the_agencys_own_else_what_printers_hold_there(
    chosen: str, zone: str, wanted: PaperSize, width: int
) -> None:
    assert paper_for(chosen, zone) is wanted
    made = PdfReader(io.BytesIO(pdf(replace(_TRIP, head=replace(_TRIP.head, paper=wanted)))))
    assert int(made.pages[0].mediabox.width) == width


def test_it_is_tagged_says_its_language_and_claims_the_standards_that_typst_checked() -> None:
    content = pdf(_TRIP)
    root = PdfReader(io.BytesIO(content)).root_object
    assert "/StructTreeRoot" in root
    assert str(root["/Lang"]) == "en"
    assert b"<pdfuaid:part>1<" in content
    assert b"<pdfaid:part>2<" in content


# Case 29: names as payers have them.
NAMES = """ნინო ბერიძე
Անահիտ Պետրոսյան
சுந்தரி கிருஷ்ணன்
নাসরিন আক্তার
ગીતા પટેલ
สมชาย ใจดี
អ៊ុក សុភា
አበበ ቢቂላ
山田 花子
さくら タロウ
王伟
김민지
مريم الهاشمي
דוד בן־גוריון
नरेन्द्र शर्मा
Nguyễn Thị Ánh
Ελένη Παπαδοπούλου
Иван Петрович
José Žižka-Ångström
ᠪᠠᠶᠠᠷ
བསྟན་འཛིན
އާދަމް އިބްރާހީމް
ܝܘܚܢܢ ܒܪ ܐܦܪܝܡ
ߡߡߊߘߎ ߖߊߟߏ߫
ᎤᏬᏚᎯ
ꦱꦸꦏꦂꦤ
ᐸᐅᓗᓯ
ⵎⴰⵙⵙⵉⵏ
ᥖᥭᥰ ᦺᦑ
𝓐𝓷𝓷
🏝️ Hawaii
👨‍👩‍👧 1️⃣ 🇺🇸""".splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_any_of_these_scripts_has_a_face(name: str) -> None:
    assert faces.unprintable(name) == ()
    assert "[U+" not in faces.printable(name)
    pdf(replace(_TRIP, travelers=(name,), title=name))


# The scripts of names in use: those that UAX 31 recommends (table 5) and those in limited use (table 7), and Mongolian.
# Han is left out: there are faces for its 30,000 common characters, and none for the 60,000 that no list of names has.
IN_USE = [
    "Latn", "Grek", "Cyrl", "Armn", "Hebr", "Arab", "Thaa", "Deva", "Beng", "Guru", "Gujr", "Orya",
    "Taml", "Telu", "Knda", "Mlym", "Sinh", "Thai", "Laoo", "Tibt", "Mymr", "Geor", "Hang", "Ethi",
    "Khmr", "Hira", "Kana", "Bopo", "Adlm", "Bali", "Bamu", "Batk", "Cakm", "Cans", "Cham", "Cher",
    "Hmnp", "Rohg", "Java", "Kali", "Lepc", "Limb", "Lisu", "Mand", "Mtei", "Plrd", "Talu", "Newa",
    "Nkoo", "Olck", "Osge", "Saur", "Sund", "Sylo", "Syrc", "Tale", "Lana", "Tavt", "Tfng", "Vaii",
    "Wcho", "Yiii", "Mong",
]  # fmt: skip
# Letters that came to these scripts after the faces were drawn; old kana and old musical notes, which no name has.
YOUNGER = {
    *"\u1b4c\u180f\U00011147\U00011fb0",
    *map(chr, (*range(0x31BC, 0x31C0), *range(0x860, 0x86B), *range(0x11AB0, 0x11AC0))),
    *map(chr, (*range(0x1AFF0, 0x1B168), *range(0x1D242, 0x1D245))),
}


@cache
def _letters(script: str) -> list[str]:
    return [
        char
        for char in map(chr, range(0x20000))
        if unicodedata.category(char)[0] in "LM" and scripts.script(char) == script and char not in YOUNGER
    ]


@pytest.mark.parametrize("script", IN_USE)
def test_every_letter_of_a_script_that_names_come_in_has_a_face(script: str) -> None:
    letters = _letters(script)
    base = next(char for char in letters if unicodedata.category(char)[0] == "L")
    # A mark needs a letter of its script below it.
    written = [char if unicodedata.category(char)[0] == "L" else base + char for char in letters]
    assert [text for text in written if faces.unprintable(text)] == []


@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(IN_USE).flatmap(lambda script: st.lists(st.sampled_from(_letters(script)), min_size=1, max_size=9))
)
def test_a_name_in_a_script_that_names_come_in_stops_no_press(letters: list[str]) -> None:
    name = "".join(letters) or "–"
    made = Sheet(head=_TRIP.head, title=name, footer=name, made_at=_TRIP.changed_at, blocks=(sheet.say(name),))
    assert sheet.pdf(made).startswith(b"%PDF-")


def test_a_rare_script_changes_nothing_for_sheets_without_it() -> None:
    before = pdf(_TRIP)
    pdf(replace(_TRIP, travelers=("བསྟན་འཛིན",)))
    assert pdf(_TRIP) == before
    assert len(faces.folders("Grace 王伟")) < len(faces.folders("བསྟན་འཛིན"))


def test_a_character_without_a_face_is_printed_as_its_code_and_can_be_named() -> None:
    assert faces.unprintable("Ann 𠀁𠀂𠀁") == ("𠀁", "𠀂")
    assert faces.name_them(("𠀁",)) == "“𠀁” (cjk unified ideograph-20001)"
    assert faces.name_them(tuple("ᠠᠡᠢᠣᠤᠥᠦ")).endswith("and 2 more")
    assert "[U+20001]" in text_of(pdf(replace(_TRIP, travelers=("𠀁",))))


@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=60), st.text(max_size=200))
def test_no_text_stops_the_press_and_none_is_read_as_markup(short: str, long: str) -> None:
    blocks = (sheet.say(long), sheet.heading(short), sheet.fact(short, long), sheet.typed_signature(short, long))
    made = Sheet(head=_TRIP.head, title=short, footer=long, made_at=_TRIP.changed_at, blocks=blocks)
    assert sheet.pdf(made).startswith(b"%PDF-")


def test_markup_in_a_text_stays_text() -> None:
    assert "*x* #sys.inputs $a$ [b]" in text_of(pdf(replace(_TRIP, advisor="*x* #sys.inputs $a$ [b]")))


def test_a_word_longer_than_the_line_is_broken_and_loses_nothing() -> None:
    content = pdf(replace(_TRIP, advisor="Q" * 900))
    assert text_of(content).count("Q") == 900
    assert all(len(line) < 60 for line in text_of(content).splitlines() if "QQQ" in line)
