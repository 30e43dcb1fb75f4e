"""Printed sheets: the itinerary on paper, scripts, standards."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from chassis.itinerary import Leg, plan
from chassis.paper import faces, sheet
from chassis.paper.itinerary import Itinerary, pdf
from chassis.paper.letterhead import Letterhead, PaperSize, paper_for
from chassis.paper.sheet import Sheet

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
🏝️ Hawaii
👨‍👩‍👧 1️⃣ 🇺🇸""".splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_any_of_these_scripts_has_a_face(name: str) -> None:
    assert faces.unprintable(name) == ()
    assert "[U+" not in faces.printable(name)
    pdf(replace(_TRIP, travelers=(name,), title=name))


def test_a_character_without_a_face_is_printed_as_its_code_and_can_be_named() -> None:
    assert faces.unprintable("Ann ᠮᠣᠮ") == ("ᠮ", "ᠣ")
    assert faces.name_them(("ᠮ",)) == "“ᠮ” (mongolian letter ma)"
    assert faces.name_them(tuple("ᠠᠡᠢᠣᠤᠥᠦ")).endswith("and 2 more")
    assert "[U+182E]" in text_of(pdf(replace(_TRIP, travelers=("ᠮ",))))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
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
