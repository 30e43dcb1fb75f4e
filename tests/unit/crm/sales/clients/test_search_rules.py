import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chassis.typed.names import (
    fold,
    foldings,
    may_be_one,
    name_keys,
    search_terms,
    search_ways,
    sort_key,
    text_of,
    words_of,
)
from chassis.typed.text import draws
from services.crm.core.export import _csv_cell
from services.crm.sales.clients.rules import ClientData, search_words
from tests.support.typed import NAMES_OF_CASE_10, person_names

_BOTH_WAYS = [
    *[tuple(line.split("\t")) for line in NAMES_OF_CASE_10],
    ("O’Brien", "O Brien"),
    ("Smith-Jones", "Smith Jones"),
    ("Smith-Jones", "SmithJones"),
    ("de la Cruz", "delacruz"),
    ("Müller", "Mueller"),
    ("Müller", "Muller"),
    ("Bjørn", "Bjoern"),
    ("Bjørn", "Bjorn"),
    ("Åse", "Aase"),
    ("Đoković", "Djokovic"),
    ("Łukasz", "Lukasz"),
    ("Weiß", "Weiss"),
    ("Æther", "Aether"),
    ("Yıldız", "Yildiz"),
    ("İpek", "ipek"),
    ("ＭＡＲＩＡ", "maria"),
    ("Þór", "Thor"),
    ("Straße", "STRASSE"),
    ("김민준", "Kim Minjun"),
    ("Παπαδοπούλου", "Papadopoulou"),
    ("Дмитрий", "Dmitry"),
    ("Юрий", "Iurii"),
    ("Nguyễn Đức", "nguyen duc"),
    ("مُحَمَّد", "محمد"),
    ("عَلِيّ", "على"),
    ("שָׁלוֹם", "שלום"),
    ("علی", "علي"),
    ("ｻﾄｳ", "サトウ"),
    ("ㄱㅣㅁ", "김"),
    ("Мария", "Maria"),
    ("Юлия", "Yulia"),
    ("Ксения", "Ksenia"),
    ("Наталья", "Natalia"),
    ("Александр", "Alexander"),
    ("Евгений", "Evgeny"),
    ("Евгений", "Yevgeniy"),
    ("Ігор", "Ihor"),
    ("Київ", "Kyiv"),
    ("Љубица", "Ljubica"),
    ("Γιώργος", "Yiorgos"),
    ("Αλέξανδρος", "Aleksandros"),
    ("Μπάμπης", "Babis"),
    ("さとう", "Sato"),
    ("Satō", "Satou"),
]

CLIENT = ClientData(
    first_name="Zoë",
    last_name="Groß-Müller",
    email="Zoe.GM@Courriel.example",
    phone="+33 1 99 00 12 34",
    second_phone="(401) 555-0164",
)


@pytest.mark.parametrize(
    "typed",
    [
        "zoe",
        "Zoë gross",
        "MULLER",
        "Müller, Zoë",
        "gm@courriel",
        "1 99 00",
        "99001234",
        "555 0164",
        "0164",
        "(401)",
        "zoe 5550164",
    ],
)
def test_a_client_is_found_however_her_name_or_number_is_written(typed: str) -> None:
    assert all(f" {term}" in text_of(search_words(CLIENT)) for term in search_terms(typed))


@pytest.mark.parametrize("typed", ["", "   ", "+", "()"])
def test_nothing_typed_asks_for_nothing(typed: str) -> None:
    assert search_terms(typed) == []


def test_somebody_else_is_not_found() -> None:
    assert not all(f" {term}" in text_of(search_words(CLIENT)) for term in search_terms("zoe smith"))


@given(person_names(), person_names())
def test_every_part_of_a_name_finds_its_owner(first: str, last: str) -> None:
    text = text_of(search_words(ClientData(first_name=first, last_name=last)))
    for word in (*first.split(), *last.split(), first, last, f"{first} {last}"):
        assert _finds(word, text)


@given(st.text(max_size=60))
def test_whatever_stands_in_a_text_can_be_copied_into_the_search_field(text: str) -> None:
    assume(draws(text))
    assert all(any(word.startswith(term) for word in words_of(text)) for term in search_terms(text))


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        *[(one, other) for one, other in _BOTH_WAYS],
        *[(other, one) for one, other in _BOTH_WAYS],
        ("O’Brien", "OBrien"),
        ("O’Brien", "o'b"),
        ("OBrien", "O Brien"),
        ("Đoković", "Dokovic"),
        ("Горбачёв", "Gorbachev"),
        ("Παπαδόπουλος", "papad"),
        ("王小明", "wangxiao"),
        ("김민준", "Kim"),
        ("김민준", "Minjun Kim"),
        ("이", "Lee"),
        ("박", "Park"),
        ("최", "Choi"),
        ("정서연", "Jung"),
        ("Ευαγγέλου", "Evangelou"),
        ("Μπάμπης", "Bampis"),
        ("Ещенко", "Yeshchenko"),
        ("محمد", "Mohammed"),
        ("محمد", "Muhammad"),
        ("أحمد", "Ahmed"),
        ("فاطمة", "Fatima"),
        ("يوسف", "Youssef"),
        ("مريم الهاشمي", "Maryam"),
        ("عبد الله", "Abdullah"),
        ("محمد علي", "Mohamed Ali"),
        ("शर्मा", "Sharma"),
        ("सिंह", "Singh"),
        ("ਸਿੰਘ", "Singh"),
        ("संजय", "Sanjay"),
        ("कुम्भ", "Kumbh"),
        ("สมชาย", "Somchai"),
        ("חיים", "Chaim"),
        ("חיים", "Haim"),
        ("כהן", "Cohen"),
        ("王小明", "Xiaoming"),
        ("王小明", "Wang Xiaoming"),
        ("佐藤", "Sato"),
        ("佐藤花子", "Sato"),
        ("佐藤 花子", "Sat"),
        ("鈴木", "Suzuki"),
        ("田中", "tanaka"),
        ("渡邊", "Watanabe"),
        ("佐々木", "Sasaki"),
        ("長谷川", "Hasegawa"),
        ("中島", "Nakajima"),
        ("中島", "Nakashima"),
        ("久保田", "Kubota"),
        ("髙橋", "Takahashi"),
        ("山﨑", "Yamazaki"),
        ("佐藤", "佐藤"),
        *(("佐藤", typed) for typed in ("Satou", "Satoh", "SATOH", "Satō", "Satô", "Satoo")),
        *(("大野", typed) for typed in ("Ohno", "Oono", "Ouno", "Ono", "Ōno")),
        *(("大橋 花子", typed) for typed in ("Ohashi", "Oohashi", "Ohhashi", "Ouhasi")),
        *(("さとう ゆうこ", typed) for typed in ("Satoh Yuko", "Yuuko Sato", "Satou", "Yûko")),
        *(("オオツカ", typed) for typed in ("Ohtsuka", "Otuka", "Ōtsuka")),
        *(
            ("藤井", "Huzii"),
            ("土屋", "Tutiya"),
            ("千葉", "Tiba"),
            ("井上", "Inoue"),
            ("河野", "Kohno"),
            ("清水", "Simizu"),
        ),
        *(("佐藤 Hanako", typed) for typed in ("Satoh Hanako", "Hanako Satou")),
    ],
)
def test_a_name_is_found_however_its_letters_are_marked_stroked_folded_or_parted(stored: str, typed: str) -> None:
    assert _finds(typed, text_of(search_words(ClientData(first_name="Maya", last_name=stored))))


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        *(("王小明", "Sato"), ("林", "Hayashi"), ("久保田", "Tanaka"), ("Sato", "佐藤花子"), ("金", "Kaneko")),
        *(("Jon", "John"), ("Jones", "Johns"), ("大橋", "Oashi"), ("佐野", "Sanou H"), ("佐藤", "Saito")),
    ],
)
def test_no_name_is_found_by_another_ones_reading(stored: str, typed: str) -> None:
    assert not _finds(typed, text_of(search_words(ClientData(first_name="Maya", last_name=stored))))


@pytest.mark.parametrize("typed", ["Hamid", "Ham", "Sam", "Sh", "4111", "m@h"])
def test_other_consonants_find_nobody(typed: str) -> None:
    assert not _finds(typed, text_of(words_of("محمد")))


@given(person_names(), st.sampled_from(("محمد", "חיים", "शर्मा", "สมชาย")))
def test_consonants_find_and_never_say_that_two_people_are_one(name: str, unvowelled: str) -> None:
    """Hassan and Hussein have the same ones."""
    keys = name_keys(name, unvowelled)
    assert not any("@" in key for key in keys)
    assert not may_be_one(("Mohammed", "Sharma"), (name, unvowelled))
    assert all("@" not in word for word in words_of(name) if name.isascii())


_OF_OTHER_SCRIPTS = {
    "Greek": st.text("αβγδεζηθικλμνξοπρστυφχψωάέήίόύώϊϋΐΰς", min_size=2, max_size=12),
    "Cyrillic": st.text("абвгдежзийклмнопрстуфхцчшщъыьэюяёїєґў", min_size=2, max_size=12),
    "Hangul": st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=4),
}


@pytest.mark.parametrize("script", _OF_OTHER_SCRIPTS)
@given(st.data())
def test_a_name_is_found_by_each_of_its_latin_spellings(script: str, data: st.DataObject) -> None:
    name = data.draw(_OF_OTHER_SCRIPTS[script])
    ways = foldings(name)
    assert all(way.isascii() for way in ways)
    assert all(_finds(way, text_of(words_of(name))) for way in ways if draws(way))


@given(st.sampled_from(("ar", "he")), st.data())
def test_points_that_most_people_leave_out_make_no_other_name(script: str, data: st.DataObject) -> None:
    letters, points = {
        "ar": ("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", "\u064b\u064c\u064e\u0650\u0651\u0652\u0670"),
        "he": ("אבגדהוזחטיכלמנסעפצקרשת", "\u05b0\u05b4\u05b7\u05b8\u05b9\u05bc\u05c1"),
    }[script]
    name = data.draw(st.text(letters, min_size=1, max_size=10))
    pointed = "".join(letter + data.draw(st.text(points, max_size=2)) for letter in name)
    assert fold(pointed) == fold(name)
    assert sort_key("", pointed) == sort_key("", name)


def _finds(typed: str, text: str) -> bool:
    return any(all(f" {term}" in text for term in way) for way in search_ways(typed))


@given(st.text(max_size=120))
def test_any_text_can_be_searched_for(typed: str) -> None:
    assert len(search_terms(typed)) <= 6


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+cmd|calc", "-1+1", "@SUM(A1)", "\tx"])
def test_a_spreadsheet_never_takes_an_exported_text_for_a_formula(text: str) -> None:
    assert _csv_cell(text).startswith("'")


def test_an_exported_phone_number_keeps_its_plus() -> None:
    assert _csv_cell("+1 (401) 555 0164") == "+1 (401) 555 0164"
