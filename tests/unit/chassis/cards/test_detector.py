import time
from datetime import datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chassis.cards import Brand, grouped
from chassis.cards.detector import find_cards, holds_card, redact_cards
from tests.support.cards import cards

VISA = "4111111111111111"
AMEX = "378282246310005"
# The machine is shared; how long one example takes says nothing.
unhurried = settings(deadline=None)


MARKS = [
    "",
    " ",
    "-",
    ".",
    ",",
    "/",
    "_",
    "|",
    ":",
    ";",
    "*",
    "·",
    "\t",
    "\n",
    "\r\n",
    "  ",
    " - ",
    " / ",
    ", ",
    "%20",
    "&nbsp;",
    "&#8209;",
    "=20",
    "=C2=A0",
    "<br>",
    "</b> <b>",
]
UNSEEN = [
    "\u00a0",
    "\u2009",
    "\u202f",
    "\u3000",
    "\u2011",
    "\u2013",
    "\u2212",
    "\u200b",
    "\u00ad",
    "\u2060",
    "\ufe0f\u20e3",
]
# What does not even part two groups.
NOTHING = {"", "\u200b", "\u00ad", "\u2060", "\ufe0f\u20e3"}
separators = st.sampled_from([*MARKS, *UNSEEN, "+"])
befores = st.sampled_from(
    ["", "No.", "x", "card:", "(", "deposit 12.50,", ",", ";", "#", "é", "卡", '"', "room 12 ", "$", "\u200e"]
)
afters = st.sampled_from(
    ["", ".", ")", ",", ";", "\n", "exp", "=", "…", " 12/28", "=2812101", '"', "é", "\u200e", " 7", ",5.00"]
)
scripts = st.sampled_from([0x30, 0xFF10, 0x0660, 0x0966, 0x1D7CE])


@unhurried
@given(cards(), befores, afters)
def test_every_number_that_a_network_might_issue_is_seen_whatever_stands_beside_it(
    card: tuple[Brand, str], before: str, after: str
) -> None:
    assert holds_card(f"{before}{card[1]}{after}")


@unhurried
@given(cards(), st.lists(separators, min_size=4, max_size=4), scripts, befores, st.booleans())
def test_it_is_seen_in_any_script_and_however_its_groups_are_parted(
    card: tuple[Brand, str], between: list[str], zero: int, before: str, in_fours: bool
) -> None:
    brand, digits = card
    groups = grouped(Brand.OTHER if in_fours else brand, digits)
    assume(len(groups[-1]) > 2 or between[len(groups) - 2] not in (".", ","))  # those are cents
    halves = len(groups) == 4 and {between[0], between[2]} <= NOTHING and set(between[1]) & set(",;\t\n|")
    assume(not halves)  # those are two numbers of a list
    sizes = [len(group) for group in groups]
    assume(not (sizes == [4, 6, 5] and between[0] in NOTHING and set(between[1]) & set(",;\t\n|")))  # a phone and a ZIP
    written = ["".join(chr(zero + int(digit)) for digit in group) for group in groups]
    text = "".join(part for pair in zip(written, [*between, ""], strict=False) for part in pair)
    assert holds_card(f"{before} {text}")


@unhurried
@given(cards(), separators.filter(lambda each: not {",", ";"} & set(each)), scripts)
def test_digits_written_one_by_one_are_seen(card: tuple[Brand, str], separator: str, zero: int) -> None:
    if card[0] is not Brand.UATP:
        assert holds_card(separator.join(chr(zero + int(digit)) for digit in card[1]))


@pytest.mark.parametrize(
    "text",
    [
        "4111/1111/1111/1111",
        "4111,1111,1111,1111",
        "Jane Roe,4111111111111111,12/28",
        "deposit 12.50,378282246310005,paid",
        "Visa No.4111 1111 1111 1111, exp. 12/28.",
        "room 12 4111 1111 1111 1111",
        "7 378282246310005 9",
        "ref 2026 3782 822463 10005 12",
        ";4111111111111111=28121011000012345678?",
        "41 11 11 11 11 11 11 11",
        "411 111 111 111 111 1",
        "411111 1111111111",
        "41111111 11111111",
        "(4111) (1111) (1111) (1111)",
        "4111\n1111\n1111\n1111",
        "12-4111-1111-1111-1111-28",
        "+4111111111111111",
        "+4222222222222",
        "+378282246310005",
        "+30569309025904",
        "5018 0000 0009",
        "41111111-1111-1111-a000-000000000001: 4111111111111111",
        "4OO0 0000 0000 0002",
        "4lll1111 I111 1111",
        "4,111,111,111,111,111",
        "4'111'111'111'111'111",
        "378,282,246,310,005",
        "0004111111111111111",
        "DE88 4111 1111 1111 1111",
        "00004111111111111111",
        "A,4.111111111111111E+15",
        "4,111111111111111e15",
        "4111ー1111ー1111ー1111",
    ],
)
def test_a_card_is_seen(text: str) -> None:
    assert holds_card(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sat 21 Nov 2026",
        "2026-11-21T20:14:06.123456Z",
        "2026-11-27 03:17:38,123",
        "1732677458123",
        "US$ 1,240.00",
        "0000 0000 0000 0000",
        "²" * 20,
        "+55 11 98765-4325",
        "+49 1512 3456787",
        "+4915123456787",
        "+49 (1512) 3456787",
        "0049 1512 3456787",
        "+86 138 0013 8002",
        "+1-305-555-0142",
        "305 555 0142 / 305 555 0199",
        "220-2345678908",
        "2202345678908",
        "E-ticket 001 2345678903 reissued",
        "0012345678903",
        "481-2345678900 / 481-2345678918",
        "Nice,43.7101728571428",
        "confidence,0.4111111111111111",
        "IMG_20261127_031738123.jpg",
        "DE89 3704 0044 0532 0130 00",
        "DE73 3000 0101 2344 0112 99",
        "450.00 1,250.00 37.50 88.00",
        "4.1111111111111111E15",
        "00000000000000000000",
        "1.5E10",
    ],
)
def test_other_long_numbers_pass(text: str) -> None:
    assert not holds_card(text)


@unhurried
@given(st.uuids().map(str))
def test_no_uuid_is_taken_for_a_card(text: str) -> None:
    assert not holds_card(f"{text} {text}")


@unhurried
@given(st.sampled_from(("BE12", "AT16", "DE18", "ES20", "IT22", "PL24")), st.data(), st.booleans())
def test_no_accounts_number_is_taken_for_a_card(kind: str, data: st.DataObject, in_fours: bool) -> None:
    country, length = kind[:2], int(kind[2:])
    account = data.draw(st.text("0123456789", min_size=length, max_size=length))
    check = 98 - int("".join(str(int(char, 36)) for char in f"{account}{country}00")) % 97
    iban = f"{country}{check:02}{account}"
    groups = [iban[at : at + 4] for at in range(0, len(iban), 4)] if in_fours else [iban]
    assert not holds_card(f"IBAN {' '.join(groups)}, thank you")


@unhurried
@given(
    st.lists(st.text("0123456789", min_size=8, max_size=8), min_size=2, max_size=12),
    st.sampled_from((", ", "\n", ";", "\t")),
)
def test_no_list_of_confirmation_numbers_is_taken_for_a_card(numbers: list[str], between: str) -> None:
    assert not holds_card(between.join(numbers))


@unhurried
@given(st.datetimes(), st.sampled_from(["%Y%m%d%H%M%S%f", "%Y-%m-%d %H:%M:%S.%f", "PXL_%Y%m%d_%H%M%S%f"]))
def test_no_moment_of_our_century_is_taken_for_a_card(moment: datetime, form: str) -> None:
    assert not holds_card(moment.replace(year=2000 + moment.year % 100).strftime(form))


@unhurried
@given(st.integers(0, 10**10 - 1), st.integers(0, 999), st.sampled_from(["-", " "]))
def test_no_ticket_number_written_as_airlines_do_is_taken_for_a_card(serial: int, airline: int, between: str) -> None:
    assert not holds_card(f"{airline:03}{between}{serial:010}")


@unhurried
@given(st.text())
def test_no_text_breaks_the_check(text: str) -> None:
    assert holds_card(text) == bool(list(find_cards(text)))


@pytest.mark.parametrize(
    "text",
    [
        f"{VISA}12/28",
        f"{VISA}12-28",
        f"{VISA}12.28",
        f"{VISA}01/2031",
        f"{VISA}1228",
        f"{AMEX}1228",
        f"{AMEX}12/28 7373",
        "4111 1111 1111 111112/28",
        "4111-1111-1111-111112/28",
        f"Visa {VISA}12/28,123",
        f"{VISA} 12/28",
        "x".join(VISA),
        "a".join(AMEX),
        "and".join(VISA),
        "4111x1111x1111x1111",
        "4111 x 1111 x 1111 x 1111",
        "4111a1111b1111c1111",
        "3782k822463k10005",
        "41xx11xx11xx11xx11xx11xx11xx11",
    ],
)
def test_a_number_with_its_expiry_run_on_or_letters_in_between_is_seen(text: str) -> None:
    assert holds_card(text)
    assert holds_card(f"Card: {text}.")


@unhurried
@given(cards(), st.integers(1, 12), st.integers(24, 45), st.sampled_from(["/", "-", "."]), st.booleans())
def test_a_run_on_expiry_hides_no_number(card: tuple[Brand, str], month: int, year: int, mark: str, long: bool) -> None:
    assert holds_card(f"{card[1]}{month:02}{mark}{2000 + year if long else year}")


@unhurried
@given(cards(), st.text("ghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ", min_size=1, max_size=3))
def test_letters_between_single_digits_hide_no_number(card: tuple[Brand, str], letters: str) -> None:
    """None of a to f: so long, it might be a hash."""
    assume(len(card[1]) > 12)
    assert holds_card(letters.join(card[1]))


@pytest.mark.parametrize(
    "text",
    [
        # Sizes, seats, flights and codes with letters between digits; dates and times run on behind tickets and orders.
        "1920x1080x60",
        "120 x 80 x 145 cm, 220 x 90 x 60 cm",
        "12A 14B 15C 16D 17E 18F",
        "NL612 4JUN BOS BGO 2035 1015",
        "220-2345678908 12/28",
        "0012345678903 12/28",
        "2202345678908 12/28",
        "20261127195512/28",
        "IMG_20261127_195512-28",
        "Order 100012345612/28",
        "+1 305 555 0112/28",
        "0x4111a1f1b1e1d1c1",
        "4d1h30m15s200ms",
        "1h2h3h4h5h6h7h8h9h10h11h12h",
        "b4f1e2d3-a1b2-4c3d-8e4f-a5b6c7d8e9f0",
    ],
)
def test_letters_and_dates_beside_other_numbers_are_no_card(text: str) -> None:
    assert not holds_card(text)


@unhurried
@given(cards(), st.text(alphabet=" ,.-xé\u200b\n", max_size=5), st.text(alphabet=" ,.-xé\u200b\n", max_size=5))
def test_what_is_redacted_is_the_number_and_nothing_beside_it(card: tuple[Brand, str], left: str, right: str) -> None:
    assert redact_cards(f"{left}{card[1]}{right}", "#") == f"{left}#{right}"


def test_two_numbers_are_both_redacted() -> None:
    assert redact_cards(f"{VISA}, then {AMEX}.", "#") == "#, then #."


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "4",
        "1 ",
        "4111 ",
        "4 1 1 1 ",
        "4111 1111 1111 1112 ",
        "4,",
        "4.",
        "+4",
        "0",
        "04",
        "4.1E1",
        "%20",
        "\u200b1",
        "1-",
        "-",
        "a1",
        "4x",
        "4 x 1",
        "4111a",
        "12/28",
        "411111111111111112/28 ",
        "1228",
        "411112/",
    ],
)
def test_time_grows_with_the_text_and_no_faster(piece: str) -> None:
    def taken(size: int) -> float:
        text = piece * (size // len(piece))
        started = time.process_time()
        holds_card(text)
        return time.process_time() - started

    small = min(taken(20_000) for _ in range(3))
    assert min(taken(80_000) for _ in range(2)) < 10 * small + 0.05
