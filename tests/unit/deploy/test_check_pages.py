"""Payment pages are compared with what was built, and every way to change them on their way is found."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from werkzeug.test import Client

from chassis.sealing import OpeningKey
from deploy.check_pages import built_files, main, pages_of
from services.vault.frame.app import FrameSettings, create_app
from tests.support.crm_site import CrmSite
from tests.support.portal import PortalWorld

PORTAL, CRM, FRAME = "http://portal.localhost:8102", "http://crm.localhost:8101", "http://card.localhost:8103"
Said = pytest.CaptureFixture[str]
Change = Callable[[str, requests.Response], None]


class Keys:
    def __init__(self) -> None:
        self._key = OpeningKey.generate("seal-1")

    def current_public_jwk(self) -> dict[str, str]:
        return {**self._key.public.public_jwk, "kid": "seal-1"}


class Internet:
    """The three sites, and somebody between them and the browser."""

    def __init__(self, sites: dict[str, Flask]) -> None:
        self._clients = {urlsplit(origin).netloc: Client(app) for origin, app in sites.items()}
        self.change: Change = lambda _url, _answer: None

    def fetch(self, url: str) -> requests.Response:
        host = urlsplit(url).netloc
        answer = self._clients[host].get(url, headers={"Host": host})
        got = requests.Response()
        got.status_code, got._content = answer.status_code, answer.get_data()
        got.headers.update(dict(answer.headers))
        got.encoding = "utf-8"
        self.change(url, got)
        return got


@pytest.fixture(scope="module")
def _internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    crm = CrmSite(tmp_path_factory.mktemp("crm"))
    portal = PortalWorld(tmp_path_factory.mktemp("portal"), public_url=PORTAL, frame_origin=FRAME)
    hosts = frozenset({"card.localhost"})
    frame = create_app(FrameSettings(parents=[CRM, PORTAL], hosts=hosts), Keys())
    yield Internet({CRM: crm.app, PORTAL: portal.wsgi, FRAME: frame})
    portal.close()
    crm.close()


@pytest.fixture
def internet(_internet: Internet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Internet:
    monkeypatch.setenv("CRM_STATE_DIR", str(tmp_path))
    _internet.change = lambda _url, _answer: None
    return _internet


def test_a_site_as_it_was_built_is_as_built(internet: Internet, capsys: Said) -> None:
    assert main([], fetch=internet.fetch) == 0
    said = capsys.readouterr().out
    assert f"All {len(pages_of(PORTAL, CRM, FRAME))} pages are as built." in said
    assert f"{FRAME}/capture" in said


def in_the_page(old: bytes, new: bytes) -> Change:
    def change(url: str, answer: requests.Response) -> None:
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            answer._content = answer.content.replace(old, new)

    return change


def in_the_header(name: str, value: str | None) -> Change:
    def change(url: str, answer: requests.Response) -> None:
        if value is None:
            answer.headers.pop(name, None)
        else:
            answer.headers[name] = value

    return change


def in_the_file(ending: str) -> Change:
    def change(url: str, answer: requests.Response) -> None:
        if urlsplit(url).path.endswith(ending):
            answer._content = answer.content + b"\nfetch('https://evil.example')"

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (in_the_file("/asset/capture.js"), "this script is not as built"),
        (in_the_file("app.css"), "this style is not as built"),
        (in_the_file("app.js"), "this script is not as built"),
        (in_the_file(".css"), "this style is not as built"),
        # What a page's script imports by itself, and what that imports once it is needed.
        (in_the_file("live.js"), "this script is not as built"),
        (in_the_file("idiomorph.esm.js"), "this script is not as built"),
        (in_the_page(b"</head>", b"<script>steal()</script></head>"), "a script stands in the page itself"),
        (in_the_page(b"</head>", b'<script src="https://evil.example/x.js"></script></head>'), "from elsewhere"),
        (
            in_the_page(b'"/static/chassis/ui.js?v', b'"https://evil.example/ui.js?v'),
            "an import map leads /static/chassis/ui.js to",
        ),
        (
            in_the_page(b'"/static/chassis/ui.js?v', b'"/logo/ui.js?v'),
            "an import map leads /static/chassis/ui.js to /logo",
        ),
        (in_the_page(b'"/static/chassis/ui.js":', b'"./ui.js":'), "an import map leads ./ui.js to"),
        (in_the_page(b'{"imports": {', b'{"scopes": {}, "imports": {'), "an import map with scopes"),
        (in_the_page(b'{"imports": {', b'{"imports": ['), "an import map that can't be read"),
        (in_the_page(b"<body", b'<body onload="steal()"'), "<body onload> runs a script"),
        (in_the_page(b"</body>", b'<iframe src="https://evil.example"></iframe></body>'), "frames https://evil"),
        (in_the_page(b"</body>", b'<form action="https://evil.example"></form></body>'), "a form leads to"),
        (in_the_page(b"</body>", b'<a href="javascript:steal()">x</a></body>'), "<a href> runs a script"),
        (in_the_page(b"<head>", b'<head><base href="https://evil.example">'), "<base> moves every address"),
        (in_the_header("Content-Security-Policy", None), "the header Content-Security-Policy is missing"),
        (in_the_header("Content-Security-Policy", "default-src *"), "the header Content-Security-Policy is 'default"),
        (in_the_header("X-Content-Type-Options", None), "the header X-Content-Type-Options is missing"),
    ],
)
def test_what_was_changed_on_its_way_is_found(internet: Internet, capsys: Said, change: Change, words: str) -> None:
    internet.change = change
    assert main([], fetch=internet.fetch) == 3
    said = capsys.readouterr().out
    assert words in said
    assert "*Payment page changed* in deploy/RUNBOOK.md" in said


def test_a_page_of_a_test_payment_may_be_checked_too(internet: Internet, capsys: Said) -> None:
    assert main(["--page", f"{PORTAL}/pay/link_of_a_test"], fetch=internet.fetch) == 0
    assert f"{PORTAL}/pay/link_of_a_test" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["--page", "https://elsewhere.example/"], fetch=internet.fetch)
    assert ended.value.code == 2


def test_a_page_that_leads_elsewhere_is_found(internet: Internet, capsys: Said) -> None:
    def lead(url: str, answer: requests.Response) -> None:
        if url.startswith(f"{FRAME}/capture"):
            answer.status_code = 302
            answer.headers["Location"] = "https://evil.example/capture"

    internet.change = lead
    assert main([], fetch=internet.fetch) == 3
    assert "leads to https://evil.example/capture" in capsys.readouterr().out


def test_a_page_that_is_refused_is_found(internet: Internet, capsys: Said) -> None:
    def refuse(url: str, answer: requests.Response) -> None:
        answer.status_code = 421

    internet.change = refuse
    assert main([], fetch=internet.fetch) == 3
    assert "answers 421" in capsys.readouterr().out


def test_what_can_not_be_asked_is_said(internet: Internet, capsys: Said) -> None:
    def away(url: str) -> requests.Response:
        raise requests.ConnectionError(request=requests.Request("GET", url).prepare())

    assert main([], fetch=away) == 1
    assert f"Not checked: a page can't be had (ConnectionError): {FRAME}/capture" in capsys.readouterr().err


def test_every_script_of_the_checkout_is_known() -> None:
    assert len(built_files()) > 30
