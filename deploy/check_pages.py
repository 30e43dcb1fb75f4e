"""`python -m deploy.check_pages`: whether payment pages reach browsers as they were built (PCI DSS 11.6.1, 6.4.3).

It asks the running site as a browser would, and compares what arrives with this checkout: the headers that keep pages
shut, every script and style that a page loads (by its hash), and whatever could load more: scripts in the
page itself, handlers in attributes, frames, forms that lead elsewhere. Run it at least weekly, from another network
than the site's; run it with the very version that is deployed.

Exit status: 0 as built; 1 not checked, the message says why; 2 wrong arguments; 3 something is not as built.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import requests

from chassis.commands import DONE, FOUND, NOT_DONE
from chassis.progress import at_work
from chassis.settings import SettingsError, load
from chassis.web.colour import theme_css
from chassis.web.security import HEADERS, content_security_policy
from chassis.web.static_files import imports_of
from services.crm.config import CrmSettings
from services.vault.frame.app import HEADERS as FRAME_HEADERS
from services.vault.frame.app import MODES, policy_for, served_files

_ROOT = Path(__file__).resolve().parents[1]
_TIMEOUT_SECONDS = 20
# Not found: the page that asks somebody with a wrong link for the right one.
_ANSWERS = (200, 404)
_NONCE = re.compile(r"'nonce-([A-Za-z0-9_-]+)'")
_THEME = re.compile(r"/theme/([0-9a-f]{6})\.css$")
# Data that our own scripts read; browsers run nothing of it.
_DATA = ("application/json",)
Fetch = Callable[[str], requests.Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One origin: what its pages may frame, and who may frame them. `frame` is the secure frame's own origin."""

    origin: str
    frame: str
    parents: tuple[str, ...] = ()

    @property
    def is_frame(self) -> bool:
        return self.origin == self.frame

    def expected_headers(self, shown_policy: str) -> dict[str, str]:
        """As this code sends them; the nonce is whatever the answer had."""
        https = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
        more = https if self.origin.startswith("https:") else {}
        if self.is_frame:
            return {**FRAME_HEADERS, **more, "Content-Security-Policy": policy_for(self.parents)}
        nonce = _NONCE.search(shown_policy)
        policy = content_security_policy(nonce[1] if nonce else "", self.frame)
        return {**HEADERS, **more, "Content-Security-Policy": policy}


@dataclass
class Contents(HTMLParser):
    """What a page loads and what it could run."""

    loads: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    _inline: bool = False
    _maps: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name, value in given.items():
            if name.startswith("on") or value.strip().lower().startswith("javascript:"):
                self.faults.append(f"<{tag} {name}> runs a script")
        match tag:
            case "script" if "src" in given:
                self.loads.append(("script", given["src"]))
            case "script" if given.get("type") == "importmap":
                self._maps = True
            case "script":
                self._inline = given.get("type", "") not in _DATA
            case "link" if given.get("rel") in ("stylesheet", "modulepreload", "preload"):
                self.loads.append(("style" if given["rel"] == "stylesheet" else "script", given.get("href", "")))
            case "iframe" | "embed" | "object":
                self.frames.append(given.get("src") or given.get("data", ""))
            case "form" if "action" in given:
                self.forms.append(given["action"])
            case "base":
                self.faults.append("<base> moves every address")

    def handle_data(self, data: str) -> None:
        if self._inline and data.strip():
            digest = hashlib.sha256(data.encode()).hexdigest()[:16]
            self.faults.append(f"a script stands in the page itself (SHA-256 {digest}…)")
            self._inline = False
        if self._maps and data.strip():
            self._look_at_map(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inline = self._maps = False

    def _look_at_map(self, data: str) -> None:
        """An import map may add to an address which version it means, and nothing else."""
        try:
            more = json.loads(data)
            imports = {str(name): str(address) for name, address in more.pop("imports").items()}
        except (ValueError, KeyError, AttributeError, TypeError):
            self.faults.append("an import map that can't be read")
            return
        if more:
            self.faults.append(f"an import map with {', '.join(sorted(more))}")
        for name, address in imports.items():
            if name != address.partition("?")[0] or not name.startswith("/"):
                self.faults.append(f"an import map leads {name} to {address}")
            self.loads.append(("script", address))


def built_files(root: Path = _ROOT) -> frozenset[str]:
    """SHA-256 of every script and style that this checkout serves."""
    files = {path for folder in ("chassis", "services") for path in (root / folder).glob("**/static/**/*")}
    files |= set(served_files().values())
    return frozenset(_sha256(path.read_bytes()) for path in files if path.suffix in (".js", ".css", ".mjs"))


def check_page(url: str, site: Site, fetch: Fetch, built: frozenset[str]) -> Iterator[str]:
    """What is not as built of one page and all that it loads, a line each. Raises requests.RequestException."""
    answer = fetch(url)
    if answer.is_redirect:
        yield f"{url}: leads to {answer.headers.get('Location', '')}"
        return
    if answer.status_code not in _ANSWERS:
        yield f"{url}: answers {answer.status_code}"
    yield from (f"{url}: {fault}" for fault in _header_faults(answer.headers, site))
    page = Contents()
    page.feed(answer.text)
    page.close()
    yield from (f"{url}: {fault}" for fault in page.faults)
    yield from _load_faults(url, page.loads, site, fetch, built)
    for frame in page.frames:
        if frame and not _is_of(urljoin(url, frame), site.frame):
            yield f"{url}: frames {urljoin(url, frame)}"
    for form in page.forms:
        if not _is_of(urljoin(url, form), site.origin):
            yield f"{url}: a form leads to {urljoin(url, form)}"


def _load_faults(
    url: str, loads: Sequence[tuple[str, str]], site: Site, fetch: Fetch, built: frozenset[str]
) -> Iterator[str]:
    """Of what a page loads, and of what that imports."""
    waiting, seen = [(url, kind, source) for kind, source in loads], set[str]()
    while waiting:
        whose, kind, source = waiting.pop()
        address = urljoin(whose, source)
        if address in seen:
            continue
        seen.add(address)
        if not _is_of(address, site.origin):
            yield f"{whose}: loads a {kind} from elsewhere: {address}"
            continue
        content = fetch(address).content
        if _sha256(content) not in built and not _is_theme(address, content):
            yield f"{address}: this {kind} is not as built"
            continue
        imported = imports_of(content.decode("utf-8", "replace")) if kind == "script" else []
        waiting += [(address, kind, name) for name in imported]


def _is_theme(address: str, content: bytes) -> bool:
    """Whether it is the style sheet of an agency's colour, which the address says."""
    accent = _THEME.search(urlsplit(address).path)
    return accent is not None and content == theme_css(accent[1]).encode()


def _header_faults(headers: Mapping[str, str], site: Site) -> Iterator[str]:
    for name, expected in site.expected_headers(headers.get("Content-Security-Policy", "")).items():
        shown = headers.get(name)
        if shown is None:
            yield f"the header {name} is missing"
        elif shown != expected:
            yield f"the header {name} is {shown!r}, and was built as {expected!r}"


def _is_of(url: str, origin: str) -> bool:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" == origin


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pages_of(portal: str, crm: str, frame: str) -> list[tuple[str, Site]]:
    """What anybody can ask: the secure frame's pages for both sites, and the way in to each site."""
    secure = Site(origin=frame, frame=frame, parents=(crm, portal))
    kinds = {"capture": (portal, "card"), "reveal": (crm, "card"), "cvv": (crm, "cvv"), "gateway": (crm, "stripe")}
    found = [
        (f"{frame}/{mode}?{urlencode({'parent': kinds[mode][0], 'kind': kinds[mode][1]})}", secure) for mode in MODES
    ]
    at_portal = Site(origin=portal, frame=frame)
    # A link that nobody was sent: the page is the one that asks for the link again.
    found += [(f"{portal}/pay/link_check", at_portal), (f"{portal}/sign-in", at_portal)]
    return [*found, (f"{crm}/sign-in", Site(origin=crm, frame=frame))]


def main(arguments: Sequence[str] | None = None, *, fetch: Fetch | None = None) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.check_pages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for site in ("portal", "crm", "frame"):
        parser.add_argument(f"--{site}", metavar="URL", help="its address (default: as the CRM's settings have it)")
    parser.add_argument(
        "--page", action="append", default=[], metavar="URL", help="a page more, such as a payment link of a test"
    )
    given = parser.parse_args(arguments)
    try:
        settings = load(CrmSettings)
        portal = (given.portal or settings.portal_url).rstrip("/")
        crm = (given.crm or settings.public_url).rstrip("/")
        frame = (given.frame or settings.frame_origin).rstrip("/")
        pages = pages_of(portal, crm, frame)
        sites = {site.origin: site for _, site in pages}
        for url in given.page:
            origin = next((origin for origin in sites if _is_of(url, origin)), None)
            if origin is None:
                parser.error(f"{url} is a page of none of {', '.join(sites)}")
            pages.append((url, sites[origin]))
        with at_work("looking at pages"):
            return _report(pages, fetch or _fetch)
    except SettingsError as error:
        print(f"Not checked: {error}", file=sys.stderr)
    except requests.RequestException as error:
        print(f"Not checked: a page can't be had ({type(error).__name__}): {_asked(error)}", file=sys.stderr)
    return NOT_DONE


def _report(pages: Sequence[tuple[str, Site]], fetch: Fetch) -> int:
    built = built_files()
    found = 0
    for url, site in pages:
        faults = list(check_page(url, site, fetch, built))
        print(f"{'NOT AS BUILT' if faults else 'as built'}  {url.partition('#')[0]}", flush=True)
        for fault in faults:
            print(f"  FOUND {fault}")
        found += len(faults)
    if found:
        print(f"{found} finding(s). Next: *Payment page changed* in deploy/RUNBOOK.md, before anybody types a card.")
        return FOUND
    print(f"All {len(pages)} pages are as built.")
    return DONE


def _fetch(url: str) -> requests.Response:
    answer = requests.get(url, timeout=_TIMEOUT_SECONDS, allow_redirects=False, headers={"Accept": "text/html,*/*"})
    if answer.status_code >= 500:
        answer.raise_for_status()
    return answer


def _asked(error: requests.RequestException) -> str:
    return str(error.request.url) if error.request is not None and error.request.url else "no address"


if __name__ == "__main__":
    sys.exit(main())
