"""Files of settings, one NAME=VALUE a line: `.env`, and `<state>/engines/engines.env` that the bootstraps write."""

import re
from collections.abc import Mapping
from pathlib import Path

from deploy.files import write_file

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]*")
_QUOTED = re.compile(r"""(?P<quote>['"])(?P<value>.*)(?P=quote)\s*(?:#.*)?""")


class EnvFileFault(ValueError):
    """A line that can't be read; the message names file and line, never its value."""


def read(path: Path) -> dict[str, str]:
    """The settings of a file; none when it does not exist. Raises EnvFileFault."""
    if not path.exists():
        return {}
    found: dict[str, str] = {}
    for number, raw in enumerate(path.read_text("utf-8").splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise EnvFileFault(f"{path}, line {number}: expected NAME=VALUE")
        found[match[1]] = _value(match[2].strip())
    return found


def _value(text: str) -> str:
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        return quoted["value"]
    return text.split(" #", 1)[0].rstrip()


def update(path: Path, settings: Mapping[str, str], *, heading: str, quoted: bool = False) -> None:
    """Adds or replaces settings in a file that only its owner can read.

    `quoted`: so that a shell can read it too. Not for podman, which takes quotes for part of the value.
    """
    merged = {**read(path), **settings}
    values = {name: _quoted(value) if quoted else value for name, value in merged.items()}
    lines = [f"# {heading}", *(f"{name}={value}" for name, value in sorted(values.items()))]
    write_file(path, "\n".join(lines) + "\n")


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    quote = '"' if "'" in value else "'"
    return f"{quote}{value}{quote}"
