"""Takes the README's pictures from the last browser run: python -m deploy.dev.screens (after `make test`)."""

import shutil
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = ROOT / "artifacts" / "screens" / "embedded"
TARGET: Final = ROOT / "docs" / "screens"
# Name in docs/screens: picture of the browser run. None of them shows a whole card number.
PICTURES: Final = {
    "link-form.png": "crm-link-new-1280-light.png",
    "authorize.png": "frame/portal-authorize-390-light.png",
    "report.png": "crm-payments-1280-light.png",
    "area.png": "crm-payment-authorized-1280-light.png",
    "status.png": "portal-processed-390-light.png",
}


def main() -> int:
    missing = [name for name in PICTURES.values() if not (SOURCE / name).is_file()]
    if missing:
        print(f"{SOURCE} lacks {', '.join(missing)}. Run `make test TESTS=tests/e2e` first.", file=sys.stderr)
        return 1
    TARGET.mkdir(exist_ok=True)
    for name, source in PICTURES.items():
        shutil.copyfile(SOURCE / source, TARGET / name)
    print(f"{len(PICTURES)} pictures are in {TARGET.relative_to(ROOT)}. Look at them, then commit them.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
