"""One text of its kind after the other into every field of every page of a site, as one types it there.

`python -m tests.integration.access.typed_walk crm portal` tries all texts, with numbers behind it those turns alone,
and prints what is not right; with `everywhere` it leaves what it typed there and opens every page and file instead.
"""

import logging
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from flask.testing import FlaskClient

from tests.integration.access.entry import Door
from tests.integration.access.site import Site, furnished
from tests.integration.access.typed_forms import Field, PageForm, forms_of, text_of
from tests.support.typed_right import OF_KIND, Typed

# They end what the rest needs, and are tried elsewhere.
_LEFT: Final = ("/sign-out", "/sign-in", "/account/", "/forgotten")
# What may stand in these fields is no text of anybody's: a colour, a site, a username, one of a list.
_OWN_RULES: Final = re.compile(
    r"^(accent_colour|.*_zone|community_url|payment_page|website.*|username|commission|schedule|reference"
    r"|client|remove-confirmation|approve-code|.*_password)$"
)


@dataclass
class Walk:
    """Every form of a site's pages, and what becomes of what is typed into it."""

    site: Site
    tried: Counter[str] = field(default_factory=Counter)
    saved: Counter[str] = field(default_factory=Counter)
    pages: set[str] = field(default_factory=set)

    def forms(self) -> Iterator[tuple[FlaskClient, PageForm]]:
        """Each form once, with the browser of whom it is for."""
        seen = set()
        for door in Door:
            if (browser := self.site.browser_of(door)) is None:
                continue
            for page, text in self.site.pages(door).items():
                for form in forms_of(page, text):
                    if form.key not in seen and not form.action.startswith(_LEFT):
                        seen.add(form.key)
                        yield browser, form

    def try_form(self, browser: FlaskClient, form: PageForm, turn: int | None = None) -> Iterator[str]:
        """What is not right, in words. `turn`: of each field one text alone; else all."""
        for number, one in enumerate(form.fields.values()):
            texts = OF_KIND[one.kind]
            for typed in texts if turn is None else (texts[(turn + 7 * number) % len(texts)],):
                yield from self.type(browser, form, one, typed)

    def type(self, browser: FlaskClient, form: PageForm, into: Field, typed: Typed) -> Iterator[str]:
        """Sends the form with this text in this field; what is not right about the answer."""
        self.tried[into.kind] += 1
        self.pages.add(form.page)
        trial = _Trial(self.site, browser, form, into, typed)
        answer = browser.post(form.action, data={**form.sent, into.name: typed.text})
        body = answer.get_data(as_text=True) if answer.mimetype == "text/html" else ""
        answer.close()
        if answer.status_code >= 500:
            yield f"FAULT {answer.status_code} {trial}"
        elif answer.status_code in (302, 303):
            self.saved[into.kind] += 1
            yield from trial.shown(answer.headers["Location"])
            self.site.restore()
        elif answer.status_code == 422:
            yield from trial.refused(body)

    def leave(self, browser: FlaskClient, form: PageForm, number: int) -> bool:
        """Types into all fields of the form what must be taken; whether it was."""
        sent = dict(form.sent)
        for at, one in enumerate(form.fields.values()):
            good = [typed.text for typed in OF_KIND[one.kind] if not typed.may_be_refused]
            if not _OWN_RULES.match(one.name) and good:
                sent[one.name] = good[(number + 3 * at) % len(good)]
        answer = browser.post(form.action, data=sent)
        answer.close()
        return answer.status_code in (302, 303)

    def open_all(self) -> Iterator[str]:
        """Every page and file of the site, as it is now: what is a fault."""
        for name in self.site.endpoints():
            for call in self.site.calls(name, "GET"):
                answer = self.site.browser(self.site.entries[name]).get(call.path)
                body = answer.get_data()
                answer.close()
                if answer.status_code >= 500:
                    yield f"FAULT {answer.status_code} {call.path}"
                elif answer.mimetype == "text/html":
                    yield from (f"ODD {call.path}: {odd!r}" for odd in _ODD if odd in body)


_ALL: Final[list[int | None]] = [None]
# An entity that was written twice, and what programs write for nothing.
_ODD: Final = (b"&amp;amp;amp;", b"&amp;#39;", b"&amp;lt;", b">None<", b"<script>alert(1)")


@dataclass(frozen=True)
class _Trial:
    site: Site
    browser: FlaskClient
    form: PageForm
    into: Field
    typed: Typed

    def __str__(self) -> str:
        page = re.sub(r"[a-z]+_[0-9a-z]{20,}", "ID", self.form.page)
        return f"{page} {self.into.name} [{self.into.kind}] {self.typed.text[:40]!r}"

    def refused(self, body: str) -> Iterator[str]:
        again = next((each for each in forms_of(self.form.page, body) if self.into.name in each.fields), None)
        if again is None:
            yield f"NO FORM {self}: {text_of(body)[:150] if body else 'no page'}"
            return
        for name, one in again.fields.items():
            was = self.typed.text if name == self.into.name else self.form.sent.get(name, "")
            if " ".join(one.value.split()) != " ".join(was.split()) and one.value not in self.typed.right:
                yield f"LOST {self}: {name} {was[:40]!r} became {one.value[:40]!r}"
        said = again.fault_beside(self.into.name)
        if said and not self.typed.may_be_refused and not _OWN_RULES.match(self.into.name):
            yield f"REFUSED {self}: {said}"
        if not said and self.typed.must_be_refused and not again.says_something():
            yield f"NO WORDS {self}"

    def shown(self, location: str) -> Iterator[str]:
        if self.typed.must_be_refused:
            yield f"TAKEN {self}"
            return
        text = _html(self.browser, self.form.page)
        again = next((each for each in forms_of(self.form.page, text) if each.key == self.form.key), None)
        value = again.fields[self.into.name].value if again else ""
        if value and value != self.into.value:
            if not any(_means(self.into.kind, value, right) for right in self.typed.right):
                yield f"OTHER {self}: became {value[:60]!r}"
            return
        target = urlsplit(location)
        page = _html(self.browser, f"{target.path}?{target.query}")
        if not page or any(_stands(self.into.kind, right, text_of(page)) for right in self.typed.right):
            return
        kept = self.site.kept()
        if not any(_is_kept(self.into.kind, right, kept) for right in self.typed.right):
            yield f"UNSEEN {self}"


def _html(browser: FlaskClient, path: str) -> str:
    answer = browser.get(path)
    body = answer.get_data(as_text=True) if answer.mimetype == "text/html" else ""
    answer.close()
    return body


def _means(kind: str, shown: str, right: str) -> bool:
    if kind == "amount":
        return shown.replace(",", "") in (right, right.removesuffix(".00"))
    return shown.casefold() == right.casefold()


def _stands(kind: str, right: str, page: str) -> bool:
    if kind == "amount":
        return right != "refused" and f"{float(right):,.2f}" in page
    return kind.endswith("day") or right in page


def _is_kept(kind: str, right: str, kept: str) -> bool:
    if kind == "amount":
        return re.search(rf"\b{right.replace('.', '')}\b", kept) is not None
    return right in kept or repr(right)[1:-1] in kept or right.encode().hex() in kept


def _leave_and_open(walk: Walk, forms: Sequence[tuple[FlaskClient, PageForm]]) -> None:
    for number in (0, 13):
        taken = sum(walk.leave(browser, form, number) for browser, form in forms)
        print("left in", taken, "forms of", len(forms), flush=True)
        for fault in walk.open_all():
            print(fault, flush=True)
        walk.site.restore()


def main() -> None:
    """Tries everything and prints what is not right."""
    logging.disable(logging.CRITICAL)
    words = sys.argv[1:]
    turns: list[int | None] = [int(word) for word in words if word.isdecimal()]
    for which in ("crm", "portal"):
        if which not in words:
            continue
        with tempfile.TemporaryDirectory() as folder:
            site = furnished(which, Path(folder))
            walk = Walk(site)
            forms = list(walk.forms())
            if "everywhere" in words:
                _leave_and_open(walk, forms)
            for browser, form in [] if "everywhere" in words else forms:
                for turn in turns or _ALL:
                    for fault in walk.try_form(browser, form, turn):
                        print(fault, flush=True)
            print(which, "tried", dict(walk.tried), "saved", dict(walk.saved), "pages", len(walk.pages))
            site.close()


if __name__ == "__main__":
    main()
