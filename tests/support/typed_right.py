"""What people type or paste into fields, by the kind of field, with what is right to become of it.

Written down before looking at how it is read: `right` are the texts of which one is to be shown again; REFUSED among
them means that a refusal in words beside the field is right too, and alone that nothing else is.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final

REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True)
class Typed:
    """A text that was typed, and what may become of it."""

    text: str
    right: tuple[str, ...]

    @property
    def must_be_refused(self) -> bool:
        return self.right == (REFUSED,)

    @property
    def may_be_refused(self) -> bool:
        return REFUSED in self.right


def _same(*texts: str) -> tuple[Typed, ...]:
    return tuple(Typed(text, (text,)) for text in texts)


def _becomes(*pairs: tuple[str, str]) -> tuple[Typed, ...]:
    return tuple(Typed(text, (right,)) for text, right in pairs)


def _either(*pairs: tuple[str, str]) -> tuple[Typed, ...]:
    return tuple(Typed(text, (right, REFUSED)) for text, right in pairs)


def _refused(*texts: str) -> tuple[Typed, ...]:
    return tuple(Typed(text, (REFUSED,)) for text in texts)


# A letter under more marks than a line is high.
_CROWDED: Final = "Z" + "\u0335\u0322" * 30
# Lines and texts: names, places, titles, notes.
TEXTS: Final = (
    *_same(
        "Suharto", "Y", "Nguyễn Thị Ánh", "Işık Yıldırım", "አበበ ቢቂላ", "김민지", "O’Brien", "Smith & Sons", "<b>Ann</b>"
    ),
    *_same("@maria", "+Ann", "-Ann", "None", "null", 'Ann "Nan" Lee', "%s %(x)s", "مريم الهاشمي", "नी‍ना", "นภา"),
    *_same(
        "نی\u200cلوفر",
        "👩\u200d👩\u200d👧 Ann",
        "Zoë\\n",
        "Ann &amp; Bob",
        "山田　花子".replace("\u3000", " "),
        "D'Angelo's",
    ),
    *_same(
        "AT&T {x} {{y}}",
        "Ann; DROP",
        "<script>alert(1)</script>",
        "a,b;c\td".replace("\t", " "),
    ),
    *_either(("=1+1", "=1+1"), ("001234", "001234"), ("1/2", "1/2")),
    *_becomes(("\u200fمحمد\u200f", "محمد"), ("\uff21\uff4e\uff4e", "Ann"), ("Anna\u00a0Maria", "Anna Maria")),
    *_becomes(("Smi\u200bth", "Smith"), ("\u202eevil\u202c", "evil"), ("D\u00adAngelo", "DAngelo"), ("𝓜𝓪𝓻𝓲𝓪", "Maria")),
    *_becomes(
        (unicodedata.normalize("NFD", "김민지"), "김민지"), (unicodedata.normalize("NFD", "Nguyễn Ánh"), "Nguyễn Ánh")
    ),
    *_becomes(
        ("Ma\u200cry", "Mary"),
        ("  Ann   Lee ", "Ann Lee"),
        ("Ann\u2028Lee", "Ann Lee"),
        ("Anne\u2011Marie", "Anne-Marie"),
    ),
    *_either(
        ("N" * 200, "N" * 200),
        ("\u0301\u0302", "\u0301\u0302"),
        ("👍🏽", "👍🏽"),
        (_CROWDED, unicodedata.normalize("NFC", _CROWDED)),
    ),
    *_either(
        ("\U0001f1fa\U0001f1f8", "\U0001f1fa\U0001f1f8"), ("Ann\ud800".encode("utf-8", "replace").decode(), "Ann?")
    ),
)
# Of an amount the text is in the currency's main units, as "1234.56"; asked in US dollars, and above zero.
AMOUNTS: Final = (
    *_becomes(("1,234.56", "1234.56"), ("US$ 1,240.00", "1240.00"), ("$1,240", "1240.00"), ("1240 USD", "1240.00")),
    *_becomes(("1’234.50", "1234.50"), ("١٢٣٫٤٥", "123.45"), ("１２３．４５", "123.45"), ("1\u00a0240.50", "1240.50")),
    *_becomes(("\u200e12.50", "12.50"), ("12.50\u00a0$", "12.50"), ("12.5", "12.50"), ("\u202d$77.70\u202c", "77.70")),
    *_either(
        ("1.234,56", "1234.56"),
        ("12,50", "12.50"),
        ("0,99", "0.99"),
        (".55", "0.55"),
        ("5.", "5.00"),
        ("0012.50", "12.50"),
    ),
    *_either(
        ("1 234,56", "1234.56"), ("+12.50", "12.50"), ("1240.-", "1240.00"), ("1,24", "1.24"), ("1'234", "1234.00")
    ),
    *_refused(
        "¥1,234", "KD 1.2345", "1 234,5 €", "£1,23", "(45.00)", "-5", "−5", "1e3", "10.5.0", "twelve", "1/2", "50%"
    ),
    *_refused(
        "1k", "1_000", "NaN", "Infinity", "9" * 30, "1.240", "12.345", "0.001", "12..50", "½", "1,2,4", "12:50", "0x10"
    ),
    *_refused("12.50 + 3", "CHF 20", "R$ 20", "1,23,456", "12 50", "²5"),
)
# Of a day the text is its ISO form.
DAYS: Final = (
    *_becomes(("2027-03-04", "2027-03-04"), ("4 Mar 2027", "2027-03-04"), ("２０２７-０３-０４", "2027-03-04")),
    *_becomes(("Mar 4, 2027", "2027-03-04"), ("\u200e2027-03-04", "2027-03-04"), ("25/12/2027", "2027-12-25")),
    *_becomes(
        ("12/25/2027", "2027-12-25"),
        ("2028-02-29", "2028-02-29"),
        ("٢٠٢٧-٠٣-٠٤", "2027-03-04"),
        ("20270304", "2027-03-04"),
    ),
    *_refused("31/12/99", "2/29/2027", "0000-00-00", "1/2/26", "tomorrow", "20266-01-02", "1000-01-02", "2569-01-02"),
    *_refused(
        "令和8年1月2日", "R8.1.2", "2027-13-01", "2027-02-30", "9" * 30, "-1", "0", "1", "2027", "03/04/2027", "2027-1"
    ),
    *_refused("1899-12-31", "2101-01-01", "2027-03-04T23:59", "45000"),
)
# Whole numbers; what is beyond the field's bounds is refused as well.
# Days of the past, for birthdays and for what was paid.
PAST_DAYS: Final = (
    *_becomes(("1987-03-04", "1987-03-04"), ("4 Mar 1987", "1987-03-04"), ("29 Feb 1988", "1988-02-29")),
    *(typed for typed in DAYS if typed.must_be_refused),
    *_refused("2/29/1987", "31/12/87", "2027-03-04"),
)
NUMBERS: Final = (
    *_either(
        ("2", "2"), ("１２", "12"), ("٣", "3"), ("+2", "2"), ("\u200e2", "2"), ("02", "2"), ("2 ", "2"), ("0", "0")
    ),
    *_either(("-0", "0"), ("1,000", "1000")),
    *_refused("1_000", "9" * 30, "-1", "1e1", "2.5", "2,5", "two", "½", "²", "0x2", "NaN", "1-2", "2026-01-01"),
)
EMAILS: Final = (
    *_becomes(("maria@example.com\u200b", "maria@example.com"), ("\ufeffmaria@example.com", "maria@example.com")),
    *_becomes(("Maria <maria@example.com>", "maria@example.com"), ("mailto:maria@example.com", "maria@example.com")),
    *_becomes(("maria＠example．com", "maria@example.com"), ("o'brien@example.com", "o'brien@example.com")),
    *_either(("maria@münchen.example", "maria@münchen.example"), ("MARIA@EXAMPLE.COM", "MARIA@EXAMPLE.COM")),
    *_refused(
        "maria",
        "maria@",
        "@example.com",
        "maria@@example.com",
        "a@b@c.example",
        "maria@exam ple.com",
        "josé@example.com",
    ),
    *_refused(
        "maria@example..com", "maria@-example.com", "a" * 250 + "@example.com", "maria@example.com, bob@example.com"
    ),
)
PHONES: Final = (
    *_becomes(
        ("\u202d+1 305 555 0142\u202c", "+1 305 555 0142"), ("+1\u00a0305\u00a0555\u00a00142", "+1 305 555 0142")
    ),
    *_becomes(
        ("305\u2011555\u20110142", "305-555-0142"),
        ("+\u0661 \u0663\u0660\u0665 \u0665\u0665\u0665 \u0660\u0661\u0664\u0662", "+1 305 555 0142"),
    ),
    *_becomes(("(305) 555-0142", "(305) 555-0142"), ("+55 11 98765-4325", "+55 11 98765-4325")),
    *_either(("+1 305 555 0142 ext. 5", "+1 305 555 0142 ext. 5"), ("tel:+13055550142", "+13055550142"), ("0", "0")),
    *_refused("call me", "+", "1" * 60, "½ 305"),
)
TIMES: Final = (
    *_becomes(
        ("7:55 PM", "19:55"), ("19:55", "19:55"), ("１９：５５", "19:55"), ("19h55", "19:55"), ("7.55pm", "19:55")
    ),
    *_refused("25:00", "7", "noonish", "19:60", "-1:00", "1e3"),
)
OF_KIND: Final = {
    "text": TEXTS,
    "amount": AMOUNTS,
    "day": DAYS,
    "past day": PAST_DAYS,
    "number": NUMBERS,
    "email": EMAILS,
    "phone": PHONES,
    "time": TIMES,
}
