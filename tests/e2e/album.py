"""Looks at pages as they are walked through, at two widths and in both schemes: axe, widths, large text.

With ALBUM=screens (`make screens`) each look takes pictures too; with ALBUM=whole (`make album`,
tests/e2e/whole_album.py) it takes every view instead, and asks axe nothing.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Frame, Locator, Page

import chassis.web
from tests.e2e.conftest import DESKTOP, PHONE

_AXE: Final = (Path(chassis.web.__file__).parent / "static" / "vendor" / "axe.min.js").read_text("utf-8")
# Lists beside the whole album's pictures.
PAGES: Final = "pages.txt"
FAULTS: Final = "faults.txt"
WHOLE: Final = os.environ.get("ALBUM") == "whole"
# A picture of a long page costs a second of processor, and nobody looks at what a test run took.
_SCREENS: Final = os.environ.get("ALBUM") == "screens"
# Of a picture; what is below is not on it.
_TALLEST: Final = 15_000 if WHOLE else 6000


@dataclass(frozen=True, slots=True)
class View:
    """A window that a page is seen in: its width in CSS pixels, and the size of its text."""

    name: str
    width: int
    text: str = ""


# 640 is a window of 1280 zoomed to 200 %.
VIEWS: Final = (
    View("390", 390),
    View("390-text-200", 390, "200%"),
    View("640", 640),
    View("768", 768),
    View("1024", 1024),
    View("1280", 1280),
    View("1280-text-200", 1280, "200%"),
)
SCHEMES: Final = ("light", "dark")
# Nothing but what is wrong is read, so axe need not tell of the rest, nor fetch media for rules of sound. Frames are
# asked one by one; it can't reach into those of another origin, and says so on the console.
_SPARED: Final = "iframes: false, resultTypes: ['violations'], selectors: false, preload: false"
_SERIOUS: Final = "v => ['serious', 'critical'].includes(v.impact)"


@dataclass
class Album:
    """Looks at pages and keeps their pictures; what is wrong is collected, so that one run tells everything."""

    folder: Path
    faults: list[str]

    def look(self, page: Page, name: str, *, large_text: bool = False) -> None:
        """As a glance, and large text; with pictures where they are asked for."""
        if WHOLE:
            self._look_at_every_view(page, name)
            return
        if _SCREENS:
            self._take_pictures(page, name)
        self.glance(page, name)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESKTOP)
        if large_text:
            self._check_large_text(page, name)

    def glance(self, page: Page, name: str, *, dark: bool = True) -> None:
        """The quick look: all of axe's rules in light, colours in dark, since colours come of the scheme and sizes of
        the width; nothing beyond the edge at any width. Without `dark` no colours in dark."""
        if WHOLE:
            self._look_at_every_view(page, name)
            return
        page.set_viewport_size(DESKTOP)
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        self._check_axe(page, f"{name}, light", everything=True)
        self._check_width(page, f"{name} at 1280")
        page.set_viewport_size(PHONE)
        if dark:
            page.emulate_media(color_scheme="dark", reduced_motion="reduce")
            self._check_axe(page, f"{name} on a phone, dark", everything=False)
        self._check_width(page, f"{name} at 390")
        self._check_between(page, name)

    def _take_pictures(self, page: Page, name: str) -> None:
        """Both schemes at each width. A page with the secure frame on it goes to the frame's own folder."""
        folder = self.folder / ("frame" if page.locator("iframe").count() else ".")
        folder.mkdir(parents=True, exist_ok=True)
        for shape in (DESKTOP, PHONE):
            for scheme in SCHEMES:
                page.set_viewport_size(shape)
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
                self._shoot(page, folder / f"{name}-{shape['width']}-{scheme}.png", shape["width"])

    def clip(self, part: Locator, name: str) -> None:
        """A part of a page in light, for the guides."""
        folder = self.folder / "guides"
        folder.mkdir(parents=True, exist_ok=True)
        part.scroll_into_view_if_needed()
        part.screenshot(path=folder / f"{name}.png", animations="disabled")

    def photograph(self, page: Page, name: str) -> None:
        """In the whole album only: a page that a walk about something else comes by."""
        if WHOLE:
            self._look_at_every_view(page, name)

    def _look_at_every_view(self, page: Page, name: str) -> None:
        """Two pictures of each view, below the folder `whole`; the lists beside them say which page it was, and what
        is wrong with it."""
        frame = "frame" if page.locator("iframe").count() else "."
        before = len(self.faults)
        for view in VIEWS:
            page.set_viewport_size({"width": view.width, "height": DESKTOP["height"]})
            page.evaluate("size => { document.documentElement.style.fontSize = size }", view.text)
            self._check_width(page, f"{name} at {view.name}")
            for scheme in SCHEMES:
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
                folder = self.folder / "whole" / f"{view.name}-{scheme}" / frame
                folder.mkdir(parents=True, exist_ok=True)
                self._shoot(page, folder / f"{name}.jpg", view.width)
        _note(self.folder / "whole" / PAGES, [f"{name} {page.url.partition('#')[0]}"])
        _note(self.folder / "whole" / FAULTS, self.faults[before:])
        page.evaluate("document.documentElement.style.fontSize = ''")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESKTOP)

    def _shoot(self, page: Page, path: Path, width: int) -> None:
        # A full-page picture clips frames of other origins: make the window as tall as the page instead.
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": min(int(height), _TALLEST)})
        if path.suffix == ".jpg":
            page.screenshot(path=path, type="jpeg", quality=80)
        else:
            page.screenshot(path=path)

    def _check_between(self, page: Page, name: str) -> None:
        """A phone with text at 200 %, and a tablet: no pictures, but nothing beyond the edge."""
        page.set_viewport_size(PHONE)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        self._check_width(page, f"{name} at 390 with text at 200 %")
        page.evaluate("document.documentElement.style.fontSize = ''")
        page.set_viewport_size({**PHONE, "width": 768})
        self._check_width(page, f"{name} at 768")
        page.set_viewport_size(PHONE)

    def _check_width(self, page: Page, where: str) -> None:
        if beyond := page.evaluate(_BEYOND):
            self.faults.append(f"{where}: beyond the edge: {beyond}")

    def _check_axe(self, page: Page, where: str, *, everything: bool) -> None:
        # A scheme or width changes colours and sizes only; all other rules are checked once.
        only = "" if everything else "runOnly: ['color-contrast', 'target-size', 'scrollable-region-focusable'], "
        for frame in page.frames:
            for found in _axe(frame, only):
                self.faults.append(f"{where}: {found}")
        if everything and (twice := page.evaluate(_SAME_IDS)):
            # Parts are morphed by their ids, and labels lead to them.
            self.faults.append(f"{where}: ids of more than one element: {twice}")

    def _check_large_text(self, page: Page, name: str) -> None:
        """Text at 200 %: nothing leaves the page sideways, and no text is cut off in its box."""
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        self._check_width(page, f"{name} with text at 200 %")
        cut = page.evaluate(
            """[...document.querySelectorAll('main p, main h1, main h2, main label, main button, main a, main td')]
            .filter(node => node.checkVisibility() && node.scrollWidth > node.clientWidth + 2
                && ['hidden', 'clip'].includes(getComputedStyle(node).overflowX)
                && !node.classList.contains('visually-hidden') && !node.closest('.visually-hidden'))
            .map(node => node.textContent.trim().slice(0, 60))"""
        )
        if cut:
            self.faults.append(f"{name} with text at 200 %: cut off: {cut[:3]}")
        page.evaluate("document.documentElement.style.fontSize = ''")


# What makes the page scroll sideways, and tables whose frame cuts them off.
_BEYOND: Final = """(() => {
    const wide = document.documentElement.scrollWidth > window.innerWidth
        ? [...document.querySelectorAll('body *')].filter(node => node.checkVisibility()
            && node.getBoundingClientRect().right > window.innerWidth + 1 && !node.closest('.visually-hidden'))
        : [];
    // In a window of common width, lists of rows that stack when narrow have room.
    const roomy = window.innerWidth >= 1280 && getComputedStyle(document.documentElement).fontSize === '16px';
    const cut = [...document.querySelectorAll('.wv-table-frame > table')]
        .filter(table => table.offsetWidth > table.parentElement.clientWidth + 1
            && (getComputedStyle(table.parentElement).overflowX === 'clip'
                || roomy && table.matches('.wv-table-stack')));
    return [...wide, ...cut].slice(0, 3)
        .map(node => `${node.tagName}.${node.className} ${node.textContent.trim().slice(0, 40)}`).join(' | ');
})()"""
_SAME_IDS: Final = """(() => {
    const ids = [...document.querySelectorAll('[id]')].map(node => node.id);
    return [...new Set(ids.filter((id, place) => ids.indexOf(id) !== place))];
})()"""


def _note(path: Path, lines: list[str]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def _axe(frame: Frame, only: str) -> list[str]:
    if not frame.evaluate("'axe' in window"):
        frame.evaluate(_AXE)
    # A frame of another origin lets its page's ground through; axe would take it for white.
    frame.evaluate(
        """if (window.parent !== window) document.documentElement.style.background =
            getComputedStyle(document.documentElement).getPropertyValue('--wv-surface')"""
    )
    script = (
        f"axe.run(document, {{{only}{_SPARED}}}).then(r => r.violations.filter({_SERIOUS})"
        ".map(v => v.id + ': ' + v.nodes.slice(0, 2).map(n => n.html.slice(0, 160)).join(' | ')))"
    )
    found = list(frame.evaluate(script))
    frame.evaluate("if (window.parent !== window) document.documentElement.style.background = ''")
    return found
