"""The list of what the secure pages load, with hashes: `python -m services.vault.frame.scripts COMMAND`.

`check` compares the built files with the committed list, `update` writes the list anew after a reviewed change, and
`compare URL` compares what a running site serves with the list (PCI DSS 4.0.1, 6.4.3 and 11.6.1).

Exit status: 0 as listed; 1 not compared, the message says why; 2 wrong arguments; 3 something is not as listed.
"""

import argparse
import hashlib
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from chassis.commands import DONE, FOUND, NOT_DONE, add_command
from chassis.progress import at_work
from services.vault.frame.app import served_files

LIST: Final = Path(__file__).parent / "scripts.json"
_TIMEOUT_SECONDS: Final = 10.0


def listed() -> dict[str, str]:
    """The committed list: file name to SHA-256, hex."""
    return dict(json.loads(LIST.read_text("utf-8")))


def built() -> dict[str, str]:
    """The same of the files on this machine."""
    return {name: _sha256(path.read_bytes()) for name, path in sorted(served_files().items())}


def served(frame_url: str) -> dict[str, str]:
    """The same of what a running frame host serves. Raises OSError when it can't be reached."""
    if not frame_url.startswith(("http://", "https://")):
        raise OSError("the address must start with https:// or http://")
    found = {}
    for name in sorted(served_files()):
        url = f"{frame_url.rstrip('/')}/asset/{name}"
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            found[name] = _sha256(answer.read())
    return found


def differences(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """One plain line per file that is missing, unlisted or changed."""
    return [
        f"{name}: {_difference(expected.get(name), found.get(name))}"
        for name in sorted({*expected, *found})
        if expected.get(name) != found.get(name)
    ]


def _difference(expected: str | None, found: str | None) -> str:
    if expected is None:
        return "is not on the list"
    return "is missing" if found is None else "differs from the list"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _report(found: Callable[[], Mapping[str, str]]) -> int:
    try:
        with at_work("reading the files"):
            lines = differences(listed(), found())
    except (OSError, urllib.error.URLError) as error:
        print(f"The files can't be read: {error}. Run `make setup`, or check the address.", file=sys.stderr)
        return NOT_DONE
    for line in lines:
        print(line)
    print("Not as listed; find out who changed it before anyone types a card." if lines else "As listed.")
    return FOUND if lines else DONE


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m services.vault.frame.scripts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    add_command(commands, "check", "compares the built files with the list")
    add_command(commands, "update", "writes the list anew; review the change before you commit it")
    add_command(commands, "compare", "compares a running site with the list").add_argument("url")
    options = parser.parse_args(arguments)
    match options.command:
        case "update":
            LIST.write_text(json.dumps(built(), indent=2) + "\n", "utf-8")
            print(f"Listed {len(built())} files in {LIST.name}. Review the difference, then commit it.")
            return DONE
        case "compare":
            return _report(lambda: served(options.url))
        case _:
            return _report(built)


if __name__ == "__main__":
    sys.exit(main())
