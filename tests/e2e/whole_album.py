"""The walk through every page with pictures: python -m tests.e2e.whole_album [test_refunds.py …] (or `make album`,
half an hour or more for all).

The browser tests that look at pages run against one stack, on embedded engines. Each page is taken in every view
(tests/e2e/album.py) in light and dark; what goes beyond the edge is told by name, and so is a page that no walk came
by. Contact sheets of several pages each are made for the eye: `artifacts/screens/embedded/whole/sheets`. Pages that
hold the secure frame stay in folders and sheets named `frame`: a card in clear stands in no other picture.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

from PIL import Image, ImageDraw

from tests.e2e.album import FAULTS, PAGES, SCHEMES, VIEWS
from tests.e2e.page_maps import crm_app, not_among, portal_app

_HERE: Final = Path(__file__).parent
_FOLDER: Final = _HERE.parents[1] / "artifacts" / "screens" / "embedded" / "whole"
# What happens first is on the pages that the last one walks through: orders, refunds, charges, visits.
_LAST: Final = "test_pages.py"
# Sheets are square: that is how the eye, and what shows pictures, take in most.
_SHEET: Final = 1560
_COLUMNS: Final = dict(zip([view.name for view in VIEWS], (5, 6, 4, 4, 3, 3, 4), strict=True))
_GAP: Final = 6
_LABEL: Final = 16


def main() -> int:
    """Takes the album; ends with the tests' own exit code."""
    wanted = sys.argv[1:]
    # Some walks alone leave what the others took; what they take themselves comes anew.
    for old in [_FOLDER / FAULTS, _FOLDER / "sheets"] if wanted else [_FOLDER]:
        shutil.rmtree(old, ignore_errors=True) if old.is_dir() else old.unlink(missing_ok=True)
    walks = sorted(path for path in _HERE.glob("test_*.py") if "Album(" in path.read_text("utf-8"))
    # The guides' pictures are taken by a command of their own.
    walks = [path for path in walks if path.name not in (_LAST, "test_guides.py")] + [_HERE / _LAST]
    if wanted:
        walks = [path for path in walks if path.name in wanted]
    command = [sys.executable, "-m", "pytest", "-q", "-k", "embedded", *map(str, walks)]
    done = subprocess.run(command, env={**os.environ, "ALBUM": "whole", "ENGINES": ""}, check=False)
    count = sum(1 for _ in _FOLDER.rglob("*.jpg"))
    sheets = sum(_sheets(view.name, scheme) for view in VIEWS for scheme in SCHEMES)
    print(f"{count} pictures and {sheets} sheets in {_FOLDER}")
    told = [*_lines(FAULTS), *([] if wanted else _not_photographed())]
    print("\n".join(dict.fromkeys(told)))
    return done.returncode or int(bool(told))


def _lines(name: str) -> list[str]:
    path = _FOLDER / name
    return path.read_text("utf-8").splitlines() if path.exists() else []


def _not_photographed() -> Iterator[str]:
    """Pages that no walk came by, and names under which a later picture lies over an earlier one."""
    taken = [line.split(" ", 1) for line in _lines(PAGES)]
    for name, times in Counter(name for name, _ in taken).items():
        if times > 1:
            yield f"{name}: taken {times} times"
    for service, app in (("crm", crm_app), ("portal", portal_app)):
        with TemporaryDirectory() as folder:
            paths = [urlsplit(url).path for name, url in taken if name.startswith(service)]
            for endpoint in not_among(app(Path(folder)), paths):
                yield f"{service}: nobody came by {endpoint}"


def _sheets(view: str, scheme: str) -> int:
    """The sheets of one view in one scheme; how many."""
    made = 0
    for frame in (".", "frame"):
        pictures = sorted((_FOLDER / f"{view}-{scheme}" / frame).glob("*.jpg"))
        kind = "-frame" if frame == "frame" else ""
        for sheet in _filled(pictures, _COLUMNS[view]):
            made += 1
            target = _FOLDER / "sheets" / f"{view}-{scheme}{kind}-{made:02}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            sheet.save(target)
    return made


def _filled(pictures: list[Path], columns: int) -> Iterator[Image.Image]:
    """Whole pages beneath and beside each other, each with its name above; a tall one goes on in the next column."""
    width = (_SHEET - _GAP * (columns - 1)) // columns
    sheet, heights = Image.new("RGB", (_SHEET, _SHEET), "magenta"), [0] * columns
    for name, piece in (one for path in pictures for one in _pieces(path, width)):
        room = [place for place, height in enumerate(heights) if height + _LABEL + piece.height <= _SHEET]
        if not room:
            yield sheet.crop((0, 0, _SHEET, max(heights)))
            sheet, heights, room = Image.new("RGB", (_SHEET, _SHEET), "magenta"), [0] * columns, [0]
        # The fullest column that has room, so that much goes on a sheet.
        place = max(room, key=lambda column: heights[column])
        left, top = place * (width + _GAP), heights[place]
        ImageDraw.Draw(sheet).text((left + 2, top + 2), name, fill="white")
        sheet.paste(piece, (left, top + _LABEL))
        heights[place] += _LABEL + piece.height
    if any(heights):
        yield sheet.crop((0, 0, _SHEET, max(heights)))


def _pieces(path: Path, width: int) -> Iterator[tuple[str, Image.Image]]:
    with Image.open(path) as picture:
        small = picture.resize((width, max(1, round(picture.height * width / picture.width))))
    for number, top in enumerate(range(0, small.height, _SHEET - _LABEL), start=1):
        name = path.stem if number == 1 else f"{path.stem}, {number}"
        yield name, small.crop((0, top, width, min(small.height, top + _SHEET - _LABEL)))


if __name__ == "__main__":
    sys.exit(main())
