"""Takes the README's or the guides' pictures from the last run with pictures: python -m deploy.dev.screens [guides].

The README's are cut; the guides' (services/crm/office/training/static) are made small, for the room's pages load them.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from PIL import Image

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = ROOT / "artifacts" / "screens" / "embedded"
TARGET: Final = ROOT / "docs" / "screens"
GUIDES: Final = ROOT / "services" / "crm" / "office" / "training"
# Name in docs/screens: picture of the browser run. None of them shows a whole card number.
PICTURES: Final = {
    "link-form.png": "crm-link-new-1280-light.png",
    "authorize.png": "frame/portal-authorize-390-light.png",
    "report.png": "crm-payments-1280-light.png",
    "area.png": "crm-payment-authorized-1280-light.png",
    "status.png": "portal-processed-390-light.png",
}
_PHONES_END: Final = 600
_TALLEST_DESKTOP: Final = 1100
_TALLEST_PHONE: Final = 1800
_MOST_BYTES: Final = 40 * 1024
# A guide's column is 75 characters wide: twice that for good screens.
_WIDTH: Final = 960
_MOST_HEIGHT: Final = 900


def main() -> int:
    """Copies what the run has, for the README or with `guides` for them; says what it lacks."""
    return _guides() if sys.argv[1:] == ["guides"] else _readme()


def _readme() -> int:
    missing = [name for name in PICTURES.values() if not (SOURCE / name).is_file()]
    if missing:
        print(f"{SOURCE} lacks {', '.join(missing)}. Run `make screens`.", file=sys.stderr)
        return 1
    _copy_for_readme(PICTURES)
    print(f"{len(PICTURES)} pictures for the README, in {TARGET}. Look at them, then commit them.")
    return 0


def _guides() -> int:
    guides = [path.stem for path in sorted((SOURCE / "guides").glob("*.png"))]
    if not guides:
        print(f"{SOURCE / 'guides'} has no pictures. Run `make guide-pictures`.", file=sys.stderr)
        return 1
    _copy_for_guides(guides)
    print(f"{len(guides)} pictures for the guides, in {GUIDES}. Look at them, then commit them.")
    return 0


def _copy_for_readme(pictures: Mapping[str, str]) -> None:
    """The upper part of each page: the run's lists are long by then, and a phone's page goes on for many screens."""
    TARGET.mkdir(exist_ok=True)
    for name, source in pictures.items():
        with Image.open(SOURCE / source) as picture:
            most = _TALLEST_PHONE if picture.width < _PHONES_END else _TALLEST_DESKTOP
            picture.crop((0, 0, picture.width, min(picture.height, most))).save(TARGET / name, optimize=True)


def _copy_for_guides(names: list[str]) -> None:
    """The guides' pictures, as WebP of at most 40 KiB each."""
    for name in names:
        with Image.open(SOURCE / "guides" / f"{name}.png") as picture:
            _write_small(picture, GUIDES / "static" / f"{name}.webp")


def _write_small(picture: Image.Image, target: Path) -> None:
    """Writes the upper part of a picture, no wider than a guide shows it, in the best quality that fits."""
    small = picture.convert("RGB")
    small.thumbnail((_WIDTH, small.height))
    small = small.crop((0, 0, small.width, min(small.height, _MOST_HEIGHT)))
    for quality in (90, 80, 70, 60, 45, 30):
        small.save(target, "WEBP", quality=quality, method=6)
        if target.stat().st_size <= _MOST_BYTES:
            return


if __name__ == "__main__":
    sys.exit(main())
