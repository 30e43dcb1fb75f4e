"""The walk through every page with pictures: python -m tests.e2e.whole_album [test_refunds.py …] (or `make album`, some
20 minutes for all).

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
_SHEET_WIDTH: Final = 1600
_COLUMN_GAP: Final = 10
_TALLEST: Final = 1500
_LABEL: Final = 16


def main() -> int:
    """Takes the album; ends with the tests' own exit code."""
    shutil.rmtree(_FOLDER, ignore_errors=True)
    walks = sorted(path for path in _HERE.glob("test_*.py") if "Album(" in path.read_text("utf-8"))
    # The guides' pictures are taken by a command of their own.
    walks = [path for path in walks if path.name not in (_LAST, "test_guides.py")] + [_HERE / _LAST]
    if wanted := sys.argv[1:]:
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
        columns = 5 if view.startswith("390") else 3
        kind = "-frame" if frame == "frame" else ""
        for number, several in enumerate(_batches(pictures, columns * 2), start=1):
            target = _FOLDER / "sheets" / f"{view}-{scheme}{kind}-{number:02}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            _sheet(several, columns).save(target)
            made += 1
    return made


def _batches(pictures: list[Path], size: int) -> Iterator[list[Path]]:
    for start in range(0, len(pictures), size):
        yield pictures[start : start + size]


def _sheet(pictures: list[Path], columns: int) -> Image.Image:
    """Each page's upper part, side by side, with its name above."""
    width = (_SHEET_WIDTH - _COLUMN_GAP * (columns - 1)) // columns
    tiles = []
    for path in pictures:
        with Image.open(path) as picture:
            small = picture.resize((width, max(1, round(picture.height * width / picture.width))))
            tiles.append((path.stem, small.crop((0, 0, width, min(small.height, _TALLEST)))))
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    heights = [max(tile.height for _, tile in row) + _LABEL for row in rows]
    sheet = Image.new("RGB", (_SHEET_WIDTH, sum(heights)), "magenta")
    draw, top = ImageDraw.Draw(sheet), 0
    for row, height in zip(rows, heights, strict=True):
        for place, (name, tile) in enumerate(row):
            left = place * (width + _COLUMN_GAP)
            draw.text((left + 2, top + 2), name, fill="white")
            sheet.paste(tile, (left, top + _LABEL))
        top += height
    return sheet


if __name__ == "__main__":
    sys.exit(main())
