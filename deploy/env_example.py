"""The end of .env.example: every setting with its default and what it means, from the settings' own classes.

`make env-example` writes it; a test keeps it.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path, PurePath
from typing import Final

from pydantic import SecretStr

from chassis.settings import ServiceSettings
from chassis.sites import SiteSettings
from services.crm.config import CrmSettings
from services.notifier.config import NotifierSettings
from services.portal.config import PortalSettings
from services.vault.config import VaultSettings
from services.vault.phone.config import PhoneSettings

FILE: Final = Path(__file__).resolve().parents[1] / ".env.example"
MARK: Final = "# ==== every setting and its default (written by `make env-example`)\n"
SERVICES: Final[tuple[type[SiteSettings], ...]] = (VaultSettings, CrmSettings, PortalSettings, NotifierSettings)


def generated() -> str:
    """The part after the mark."""
    parts = [
        _block("every service", ServiceSettings, [service.prefix() for service in SERVICES]),
        _block("every service with pages", SiteSettings, [service.prefix() for service in SERVICES]),
        *(_block(f"the {service.name}", service, [service.prefix()]) for service in SERVICES),
        _block("the masker of phone calls, which has no database", PhoneSettings, [PhoneSettings.prefix()]),
    ]
    return "\n".join(parts)


def whole() -> str:
    """The file as it should be."""
    head, _, _ = FILE.read_text("utf-8").partition(MARK)
    return f"{head}{MARK}\n{generated()}"


def _block(title: str, owner: type[ServiceSettings], prefixes: list[str]) -> str:
    lines = [f"# ---- {title}"]
    for name, comment in _own_fields(owner):
        lines += [f"# {line}" for line in comment]
        lines += [f"# {prefix}{name.upper()}={_default(owner, name)}" for prefix in prefixes]
    return "\n".join(lines) + "\n"


def _own_fields(owner: type[ServiceSettings]) -> Iterator[tuple[str, list[str]]]:
    """The class's own fields in their order, each with the comment above it."""
    lines = inspect.getsource(owner).splitlines()
    (body,) = ast.parse("\n".join(lines)).body
    assert isinstance(body, ast.ClassDef)
    for statement in body.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name = statement.target.id
            if name in owner.model_fields:
                yield name, _comment_above(lines, statement.lineno - 1)


def _comment_above(lines: list[str], index: int) -> list[str]:
    comment: list[str] = []
    while index > 0 and lines[index - 1].strip().startswith("#"):
        index -= 1
        comment.insert(0, lines[index].strip().removeprefix("#").strip())
    return comment


def _default(owner: type[ServiceSettings], name: str) -> str:
    match owner.model_fields[name].default:
        case SecretStr() | None | PurePath():
            return ""
        case timedelta() as time:
            return f"PT{int(time.total_seconds())}S"
        case list() as items:
            return "[" + ", ".join(f'"{item}"' for item in items) + "]"
        case other:
            return str(other)


def main() -> int:
    FILE.write_text(whole(), "utf-8")
    print(f"Wrote {FILE.name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
