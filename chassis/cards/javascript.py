"""The card table as JavaScript, for the secure frame and the pages: `python -m chassis.cards.javascript` writes it.

Generated, so that the frame can't call a card by another name than the vault does. A test looks for differences.
"""

import json
from pathlib import Path
from typing import Final

from chassis.cards.networks import NETWORKS, RANGES

_ROOT: Final = Path(__file__).parents[2]
FILES: Final = (
    _ROOT / "services" / "vault" / "frame" / "src" / "lib" / "card-table.js",
    _ROOT / "chassis" / "web" / "static" / "card-table.js",
)


def source() -> str:
    """The whole file."""
    networks = "\n".join(
        f"  {brand}: {_object(name=str(brand), words=network.words, cvv=network.cvv, cvvName=network.cvv_name)},"
        for brand, network in NETWORKS.items()
    )
    ranges = "\n".join(
        f"  {json.dumps([each.digits, each.first, each.last, each.brand, sorted(each.lengths)])}," for each in RANGES
    )
    return f"""// Written by `python -m chassis.cards.javascript` from networks.py, which names the sources.

// A size of 0 among `cvv`: there are cards without a security code.
/** @typedef {{{{name: string, words: string, cvv: number[], cvvName: string}}}} Network */

/** @type {{Record<string, Network>}} */
export const NETWORKS = {{
{networks}
}};

// [digits compared, first, last, network, lengths]; of several that fit the first is right.
export const RANGES = [
{ranges}
];
"""


def _object(**fields: object) -> str:
    return "{ " + ", ".join(f"{name}: {json.dumps(value)}" for name, value in fields.items()) + " }"


def main() -> None:
    for path in FILES:
        path.write_text(source(), "utf-8")
        print(f"wrote {path.relative_to(_ROOT)}")


if __name__ == "__main__":
    main()
