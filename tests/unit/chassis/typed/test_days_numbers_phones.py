import contextlib
from collections.abc import Callable
from datetime import date

import phonenumbers
import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from chassis.typed.days import EARLIEST, LATEST, DayError, day_from, read_day
from chassis.typed.names import digits_of, search_ways
from chassis.typed.numbers import NumberError, number_from, read_number
from chassis.typed.phones import PhoneError, found_by, read_phone, region_of, same_number
from tests.support.typed import as_pasted, days, days_as_written, impossible_days, phones_as_pasted, typed_values


def _written(form: int, plus: str = "+") -> Callable[[phonenumbers.PhoneNumber], str]:
    return lambda number: phonenumbers.format_number(number, form).replace("+", plus)


WRITTEN = (
    _written(phonenumbers.PhoneNumberFormat.E164),
    _written(phonenumbers.PhoneNumberFormat.INTERNATIONAL),
    _written(phonenumbers.PhoneNumberFormat.NATIONAL),
    _written(phonenumbers.PhoneNumberFormat.INTERNATIONAL, "00"),
    _written(phonenumbers.PhoneNumberFormat.E164, "00"),
    _written(phonenumbers.PhoneNumberFormat.INTERNATIONAL, "011 "),
)


@pytest.mark.parametrize(
    "typed",
    [
        "2026-11-21",
        "2026/11/21",
        "21 Nov 2026",
        "Sat 21 Nov 2026",
        "Nov 21, 2026",
        "21.11.2026",
        "11/21/2026",
        "٢٠٢٦-١١-٢١",
        "21. November 2026",
        "21 novembre 2026",
        "21 de noviembre de 2026",
        "21 ноября 2026",
        "21 Kasım 2026",
        "the 21st of November 2026",
        "2026년 11월 21일",
        "Samstag, 21. November 2026",
        "sábado, 21 de novembro de 2026",
        "21 Kasım 2026 Cumartesi",
        "2026. november 21., szombat",
        "21.XI.2026",
        "2026⁄11⁄21",
        "21 نوفمبر 2026",
        "21 11 2026",
        "2026 11 21",
        "2026:11:21",
        "21_11_2026",
        "2026-W47-6",
        "2026W476",
    ],
)
def test_a_day_is_read_in_every_usual_way(typed: str) -> None:
    assert read_day(typed) == date(2026, 11, 21)


@pytest.mark.parametrize(
    "typed", ["1OCT2026", "1o de octubre 2026", "1 październik 2026", "1º ottobre 2026", "1º de octubre de 2026"]
)
def test_what_begins_a_month_is_no_ending_of_the_days(typed: str) -> None:
    assert read_day(typed) == date(2026, 10, 1)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("0027-01-02", "Check the year: 0027"),
        ("27-01-02", "four digits"),
        ("21 Nov 27", "four digits"),
        ("9999-12-31", "Check the year"),
        ("12026-01-01", "Check the year"),
        ("3/4/2026", "3 Apr or 4 Mar"),
        ("2027-02-29", "February 2027 has no day 29"),
        ("2026-13-01", "no month 13"),
        ("21 Foo 2026", "“Foo” is no month"),
        ("21 lis 2026", "“lis” is no month"),
        ("99999999999", "Enter a date"),
        ("29/2/27", "four digits"),
        ("31.11.2026", "November 2026 has no day 31"),
        ("2/3/26", "2 Mar or 3 Feb"),
        ("mar 2/3/2026", "Enter a date"),
        ("令和8年3月4日", "Enter a date"),
        ("2569-03-04", "Check the year: 2569"),
        ("2026-W54-1", "2026 has no week 54"),
        ("9999-W12-3", "Check the year"),
        ("1O Nov 2026", "Enter a date"),
        ("1o Nov 2026", "Enter a date"),
        ("1¹ Nov 2026", "Enter a date"),
    ],
)
def test_what_is_no_day_says_what_to_mend(typed: str, words: str) -> None:
    with pytest.raises(DayError, match=words):
        read_day(typed)


@given(days_as_written())
def test_a_day_is_the_one_that_was_meant_however_it_is_written(day: tuple[str, date]) -> None:
    assert read_day(day[0]) == day[1]


_FORMS = ("full", "long", "d MMMM y", "d MMM y", "EEEE, d. MMMM y", "EEE d MMM y")
_LANGUAGES = ("de", "fr", "es", "it", "nl", "pt_BR", "sv", "nb", "da", "fi", "is", "sk", "ru", "tr", "ro", "el")


@given(days(), st.sampled_from(_LANGUAGES), st.sampled_from(_FORMS))
def test_a_day_is_the_one_that_was_meant_in_other_languages_too(day: date, language: str, form: str) -> None:
    assert read_day(format_date(day, form, locale=language)) == day


@given(
    days(),
    st.sampled_from(("pl", "cs", "hr", "uk", "hu", "ar", "he", "id", "ja", "ko", "th", "hi")),
    st.sampled_from(_FORMS),
)
def test_a_day_in_a_language_that_shares_names_of_months_is_that_day_or_refused(
    day: date, language: str, form: str
) -> None:
    with contextlib.suppress(DayError):
        assert read_day(format_date(day, form, locale=language)) == day


@given(as_pasted(days().map(date.isoformat)))
def test_every_day_within_bounds_is_read(typed: str) -> None:
    assert EARLIEST <= read_day(typed) <= LATEST


@given(impossible_days())
def test_no_impossible_day_is_taken(typed: str) -> None:
    with pytest.raises(DayError):
        read_day(typed)
    assert day_from(typed) is None


@given(typed_values())
def test_anything_typed_is_a_value_or_a_refusal_in_words(typed: str) -> None:
    readers = ((read_day, DayError), (read_number, NumberError), (read_phone, PhoneError))
    assert all(len(_said(read, refusal, typed)) < 200 for read, refusal in readers)
    assert 0 <= number_from(typed, most=10) <= 10


def _said(read: Callable[[str], object], refusal: type[ValueError], typed: str) -> str:
    try:
        read(typed)
    except refusal as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize(
    ("typed", "meant"), [("12", 12), ("+12", 12), ("−3", -3), ("1,200", 1200), ("١٢", 12), ("１２", 12), ("007", 7)]
)
def test_a_number_is_read_in_any_digits(typed: str, meant: int) -> None:
    assert read_number(typed) == meant


@pytest.mark.parametrize("typed", ["1e3", "1_000", "1.5", "½", "x", "9" * 13, "9" * 5000, "--1", "2²", "①"])
def test_what_is_no_whole_number_is_refused(typed: str) -> None:
    with pytest.raises(NumberError):
        read_number(typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("\u202d+1 305 555 0142\u202c", "+1 305 555 0142"),
        ("\u2068+1 305 555 0142\u2069", "+1 305 555 0142"),
        ("+1\u00a0305\u00a0555\u00a00142", "+1 305 555 0142"),
        ("305\u2011555\u20110142", "305-555-0142"),
        ("305–555–0142", "305-555-0142"),
        ("+\u0661 \u0663\u0660\u0665 \u0665\u0665\u0665 \u0660\u0661\u0664\u0662", "+1 305 555 0142"),
        ("＋１　（３０５）　５５５　０１４２", "+1 (305) 555 0142"),
        ("+1 305 555 0142 ext. 5", "+1 305 555 0142 ext. 5"),
        ("305 555 0142 x5", "305 555 0142 ext. 5"),
        ("tel:+13055550142", "+13055550142"),
        ("tel:+1-305-555-0142;ext=5", "+1-305-555-0142 ext. 5"),
        ("(+1) 305 555 0142", "(+1) 305 555 0142"),
        ("Tél. : 01 99 00 12 34", "01 99 00 12 34"),
        ("Fax: +1 305 555 0142", "+1 305 555 0142"),
        ("+1 305 555 0142 (mobile)", "+1 305 555 0142"),
        ("+1 305 555 0142 cell", "+1 305 555 0142"),
        ("+1 305 555 0142 - mobile", "+1 305 555 0142"),
        ("+1 305 555 0142 (ext. 5)", "+1 305 555 0142 ext. 5"),
        ("030 123456 Durchwahl 12", "030 123456 ext. 12"),
        ("090ー1234ー5678", "090-1234-5678"),
        ("０９０ー１２３４ー５６７８", "090-1234-5678"),
        ("携帯 090-1234-5678", "090-1234-5678"),
        ("тел. +7 495 123-45-67", "+7 495 123-45-67"),
        ("3055550142.0", "3055550142"),
    ],
)
def test_a_phone_number_is_kept_as_meant(typed: str, meant: str) -> None:
    assert read_phone(typed) == meant


@given(phones_as_pasted())
def test_what_stands_before_and_between_a_numbers_digits_is_no_hindrance(phone: tuple[str, str]) -> None:
    assert digits_of(read_phone(phone[0])) == phone[1]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("call me", "“c”"),
        ("1-800-FLOWERS", "“F”"),
        ("12", "such as"),
        ("+1 305 555 0142¹", "“¹”"),
        ("305 555 0142 / 305 555 0143", "one only"),
        ("()", "such as"),
    ],
)
def test_what_is_no_phone_number_names_what_is_wrong(typed: str, words: str) -> None:
    with pytest.raises(PhoneError, match=words):
        read_phone(typed)


def test_a_number_is_found_from_at_home_and_from_abroad() -> None:
    assert "13055550142" in found_by("(305) 555-0142", "US")
    assert "442079460958" in found_by("020 7946 0958", "GB")
    assert same_number("(305) 555-0142", "+1 305 555 0142", "US")


REGIONS = ("US", "CA", "GB", "DE", "FR", "IT", "ES", "CH", "AU", "JP", "BR", "IN", "KW", "NZ", "ZA")


@given(st.sampled_from(REGIONS), st.sampled_from(WRITTEN), st.sampled_from(WRITTEN))
def test_a_number_is_found_however_it_is_written_down_and_however_it_is_dialled(
    region: str, stored: Callable[[phonenumbers.PhoneNumber], str], typed: Callable[[phonenumbers.PhoneNumber], str]
) -> None:
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
        number = phonenumbers.example_number_for_type(region, kind)
        assert number is not None
        words, ways = found_by(stored(number)), search_ways(typed(number))
        assert any(word.startswith(way[0]) for way in ways for word in words), (
            stored(number),
            typed(number),
            words,
            ways,
        )


def test_a_number_is_at_home_where_its_agency_is() -> None:
    assert region_of("+49 30 123456", "America/New_York") == "DE"
    assert region_of("", "Europe/London") == "GB"
    assert region_of("", "UTC") == "US"
