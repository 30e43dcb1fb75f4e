"""What people really type: strategies for hypothesis, for whoever tests a field."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal, get_currency_precision
from hypothesis import strategies as st

# Characters that nobody sees and that programs put into what is copied.
UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\u00ad\u061c"
BLANKS = " \u00a0\u2002\u2003\u2007\u2009\u202f\u205f\u3000"
APOSTROPHES = "'’‘ʼʻ`´′＇"
HYPHENS = "-‐‑–﹣－"
# Texts that draw nothing at all.
NOTHING = ("", " ", "\u3000", "\u3164", "\u2800", "\u200b\u200d", "\u115f\u1160", "\ufeff", "\u00ad", "\u202e\u202c")
DIGITS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "০১২৩৪৫৬৭৮৯", "０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")

# stored and typed, from the case 10-curly-apostrophe.
NAMES_OF_CASE_10 = (
    "O’Brien\tO'Brien",
    "D‘Angelo\tD'Angelo",
    "Kamakawiwoʻole\tKamakawiwo'ole",
    "Anne‑Marie\tAnne-Marie",
    "Maria\u00a0Garcia\tMaria Garcia",
    "Smi\u200bth\tSmith",
    "Jose\u0301\tJosé",
)

_PARTS = (
    *("Maria", "José", "Zoë", "Åse", "Łukasz", "Đorđe", "Bjørn", "Æsa", "Weiß", "Yıldız", "İpek", "Nguyễn", "Þór"),
    *("Müller", "Suharto", "van", "de", "la", "O’Brien", "D'Angelo", "Kamakawiwoʻole", "Anne‑Marie", "Smith-Jones"),
    *("Горбачёв", "Παπαδόπουλος", "王小明", "田中", "김민준", "محمد", "חיים", "अनिल", "กมล", "ნინო", "Արամ"),
)


def person_names() -> st.SearchStrategy[str]:
    """One name field: one to three words of any script, with the marks, strokes and signs that names have."""
    return st.lists(st.sampled_from(_PARTS), min_size=1, max_size=3).map(" ".join)


def in_other_digits(text: str, digits: str) -> str:
    """The text with its ASCII digits in another script's."""
    return text.translate(str.maketrans("0123456789", digits))


@st.composite
def as_pasted(draw: Any, texts: st.SearchStrategy[str]) -> str:  # Any: hypothesis' draw
    """A text with unseen characters between its own, other blanks, and another script's digits."""
    text = in_other_digits(draw(texts), draw(st.sampled_from(DIGITS)))
    kept = [draw(st.sampled_from(BLANKS)) if char == " " else char for char in text]
    for at in sorted(draw(st.lists(st.integers(0, len(kept)), max_size=3)), reverse=True):
        kept.insert(at, draw(st.sampled_from(UNSEEN.replace("\u200c", "").replace("\u200d", ""))))
    return "".join(kept)


# Currency, and a locale whose people write amounts in it.
HOMES = (
    *(("USD", "en_US"), ("GBP", "en_GB"), ("EUR", "de_DE"), ("EUR", "fr_FR"), ("EUR", "es_ES"), ("EUR", "en_IE")),
    *(("EUR", "nl_NL"), ("CHF", "de_CH"), ("CHF", "fr_CH"), ("JPY", "ja_JP"), ("KWD", "ar_KW")),
    *(("CAD", "en_CA"), ("CAD", "fr_CA"), ("AUD", "en_AU")),
)


@st.composite
def amounts(draw: Any) -> tuple[str, str, int]:  # Any: hypothesis' draw
    """An amount as written at home: text, currency, and the minor units that its writer means."""
    currency, locale = draw(st.sampled_from(HOMES))
    precision = get_currency_precision(currency)
    minor = draw(st.integers(1, 10**9))
    value = Decimal(minor).scaleb(-precision)
    pattern = draw(st.sampled_from(("#,##0", "0"))) + ("." + "0" * precision if precision else "")
    text = format_decimal(value, format=pattern, locale=locale)
    if precision and minor % 10**precision == 0 and draw(st.booleans()):
        text = format_decimal(value, format=pattern.split(".")[0], locale=locale)
    return text, currency, minor


def days() -> st.SearchStrategy[date]:
    """Days that travel has: leap days and ends of years among them."""
    edges = st.sampled_from((date(2028, 2, 29), date(1900, 1, 1), date(2100, 12, 31), date(2026, 12, 31)))
    return st.one_of(edges, st.dates(date(1900, 1, 1), date(2100, 12, 31)))


def days_as_written() -> st.SearchStrategy[tuple[str, date]]:
    """A day, and one of the ways in which people, airlines and programs write it that can be read in one way only."""
    forms = (
        *("{y}-{m:02}-{d:02}", "{y}/{m}/{d}", "{y}{m:02}{d:02}", "{y}-{m:02}-{d:02}T00:00:00Z", "{y}年{m}月{d}日"),
        *("{d} {mon} {y}", "{d}{MON}{y}", "{d:02}-{mon}-{y}", "{d}. {month} {y}", "{mon} {d}, {y}", "{mon}. {d} {y}"),
        *("{month} {d}th, {y}", "{d}st of {month} {y}", "{y} {mon} {d}", "{y}–{m:02}–{d:02}", "Tue, {d} {mon} {y}."),
    )

    def written(day: date, form: str) -> tuple[str, date]:
        names = {"mon": f"{day:%b}", "MON": f"{day:%b}".upper(), "month": f"{day:%B}"}
        return form.format(y=day.year, m=day.month, d=day.day, **names), day

    return st.builds(written, days(), st.sampled_from(forms))


def addresses_as_pasted() -> st.SearchStrategy[tuple[str, str]]:
    """An e-mail address with what programs and people put around it, and the address alone."""
    address = st.builds(
        "{}{}@{}".format,
        st.sampled_from(("maria", "o'brien", "m.garcia", "M_G")),
        st.sampled_from(("", "+trips", "-1")),
        st.sampled_from(("example.com", "mail.example", "EXAMPLE.org", "münchen.example")),
    )
    around = (
        *(
            "{}",
            " {} ",
            "<{}>",
            "Maria Garcia <{}>",
            '"Garcia, Maria" <{}>',
            "mailto:{}",
            "mailto:{}?subject=Trip",
            "{},",
        ),
        *("{}.", "'{}'", '"{}"', "({})", "E-mail: {}", "{} (home)", "{};", "\u200b{}\ufeff", "Email:{}", "[{}]"),
        *("Courriel : {}", "E-Mail-Adresse: {}", "smtp:{}"),
    )
    return st.builds(lambda plain, form: (form.format(plain), plain), address, st.sampled_from(around))


def phones_as_pasted() -> st.SearchStrategy[tuple[str, str]]:
    """A telephone number with what address books and signatures put before and between, and its digits alone."""
    number = st.sampled_from(
        ("+1 305 555 0142", "(305) 555-0142", "+44 (0)20 7946 0958", "030/123456-78", "0049 30 123456")
    )
    before = st.sampled_from(
        (
            "",
            "tel:",
            "Tel. ",
            "Phone: ",
            "Cell: ",
            "M: ",
            "☎ ",
            "📞",
            "WhatsApp: ",
            "\u202a",
            "Home ",
            "Tél. : ",
            "Fax: ",
        )
    )
    between = st.sampled_from((" ", "\u00a0", ".", "·", "•", "–", "\u2011"))

    def pasted(number: str, before: str, between: str) -> tuple[str, str]:
        return before + number.replace(" ", between), "".join(char for char in number if char.isdigit())

    return st.builds(pasted, number, before, between)


def expiries() -> st.SearchStrategy[tuple[str, int, int]]:
    """A card's expiry as people write it, its month and its year."""
    forms = (
        *("{m}/{yy}", "{m:02}/{yy}", "{m:02} / {yy}", "{m:02}{yy}", "{m:02}{y}", "{m}-{y}", "{m:02}-{y}", "{m}/{y}"),
        *("{y}-{m:02}", "{y}/{m:02}", "{y}{m:02}", "{mon} {yy}", "{mon} {y}", "{mon}{yy}", "{mon}-{yy}", "{month} {y}"),
        *("Exp. {m:02}/{yy}", "Exp: {m:02}/{y}", "valid thru {m:02}/{yy}", "{m:02}.{yy}", "{m:02} {y}", "{m:02}–{yy}"),
        *("\u200e{m:02}/{yy}\u202c", "({m:02}/{yy})", "{m:02}\u00a0/\u00a0{yy}", "{m:02}／{yy}", "{m:02}|{yy}"),
    )

    def written(month: int, year: int, form: str, digits: str) -> tuple[str, int, int]:
        day = date(year, month, 1)
        text = form.format(m=month, y=year, yy=f"{year % 100:02}", mon=f"{day:%b}", month=f"{day:%B}")
        return in_other_digits(text, digits), month, year

    return st.builds(
        written, st.integers(1, 12), st.integers(2026, 2045), st.sampled_from(forms), st.sampled_from(DIGITS)
    )


def impossible_days() -> st.SearchStrategy[str]:
    """Texts that are no day that anything here could have."""
    return st.one_of(
        st.sampled_from(
            ("2027-02-29", "2026-13-01", "0027-01-02", "27-01-02", "0000-00-00", "2026-00-10", "10000-01-01")
        ),
        st.dates(date(1, 1, 1), date(1899, 12, 31)).map(lambda day: f"{day.year:04d}-{day:%m-%d}"),
        st.dates(date(2101, 1, 1), date.max).map(date.isoformat),
        st.integers(10**9, 10**40).map(str),
    )


def spans() -> st.SearchStrategy[tuple[date, date]]:
    """A begin and an end up to three weeks apart, whichever comes first."""
    return st.tuples(days(), st.integers(-2, 21)).map(
        lambda pair: (pair[0], min(max(pair[0] + timedelta(days=pair[1]), date(1900, 1, 1)), date(2100, 12, 31)))
    )


def typed_values() -> st.SearchStrategy[str]:
    """Whatever lands in a field: for tests that no form and no address ends in a fault."""
    return st.one_of(
        st.text(max_size=30),
        st.sampled_from(NOTHING),
        st.sampled_from(
            ("1", "-1", "0", "1e9", "1e3", "99999999999", "9" * 30, "9" * 5000, "0.001", "1_000", "½", "٣", "NaN")
        ),
        st.sampled_from(
            ("\ud800", "a\udfffb", "\x00\x01", "\r\nBcc: x@mail.example", "{first name}", "{{AgentName}}", "%")
        ),
        st.sampled_from(
            ("USD", "EUR", "ZZZ", "booked", "hotel", "FR", "a@b", "x@mail.example", "\x00", "'; --", "<b>", "\ufffe")
        ),
        impossible_days(),
        days().map(date.isoformat),
        days_as_written().map(lambda pair: pair[0]),
        addresses_as_pasted().map(lambda pair: pair[0]),
        phones_as_pasted().map(lambda pair: pair[0]),
        amounts().map(lambda amount: amount[0]),
        as_pasted(st.sampled_from(("+1 305 555 0142", "1240.50", "2027-03-04", "12"))),
        person_names(),
        st.text(min_size=300, max_size=5000),
    )
