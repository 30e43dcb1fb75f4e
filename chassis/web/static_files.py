"""Static files that browsers keep for good: an address with the hash of what it gives never means anything else.

Modules import each other by their bare addresses; the page's import map (HTML Living Standard, 8.1.6.2) tells browsers
the hash of each. Those that know no import maps ask each time, as for all that is asked for without its hash.
"""

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

from flask import Flask, Response, current_app, request
from werkzeug.security import safe_join

# RFC 9111 names no longest; a year is what browsers and proxies take for ever.
_FOR_GOOD: Final = 365 * 24 * 3600
_HASH_DIGITS: Final = 12
# `import … from "…"`, `import "…"` and `import("…")`.
_IMPORTED: Final = re.compile(r"""\b(?:from\s*|import\s*\(?\s*)["'](\.{0,2}/[^"']+)["']""")
_NAME: Final = "<path:filename>"
_MODULES: Final = "wayvault_modules"


def install_static_files(app: Flask) -> None:
    """Names every static file of the app by its hash (`?v=…`), and lets browsers keep it under that name.

    Without the hash, or with that of another release, browsers ask each time whether it has changed.
    """
    app.url_defaults(_name_by_hash)
    app.after_request(_let_keep)
    app.jinja_env.globals["import_map"] = import_map


def import_map() -> dict[str, dict[str, str]]:
    """The app's modules that others import, each by its hash: what stands in `<script type="importmap">`."""
    modules: dict[str, Path] | None = current_app.extensions.get(_MODULES)
    if modules is None:  # all blueprints are there once a page is asked for
        modules = current_app.extensions[_MODULES] = _imported_modules(current_app)
    return {"imports": {address: f"{address}?v={version_of(file)}" for address, file in modules.items()}}


def imports_of(script: str) -> list[str]:
    """What a module imports, as it says it: absolute or relative paths."""
    return _IMPORTED.findall(script)


def _imported_modules(app: Flask) -> dict[str, Path]:
    """Address and file of every module that another module of the app imports."""
    files: dict[str, Path] = {}
    for rule in app.url_map.iter_rules():
        folder = _folder_of(rule.endpoint, app)
        if folder and rule.rule.endswith(_NAME):
            for file in folder.rglob("*.js"):
                files[rule.rule.removesuffix(_NAME) + file.relative_to(folder).as_posix()] = file
    imported = {
        urljoin(address, name)
        for address, file in files.items()
        for name in imports_of(file.read_text("utf-8", errors="replace"))
    }
    return {address: files[address] for address in sorted(imported & files.keys())}


def version_of(file: Path) -> str:
    """The hash of a file's content; empty if there is no such file."""
    try:
        status = file.stat()
    except OSError:
        return ""
    return _hash(file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1000)
def _hash(file: Path, _changed_ns: int, _size: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:_HASH_DIGITS]


def _name_by_hash(endpoint: str, values: dict[str, Any]) -> None:  # Any: Flask's
    if (file := _file_of(endpoint, values.get("filename"))) and (version := version_of(file)):
        values.setdefault("v", version)


def _let_keep(response: Response) -> Response:
    file = _file_of(request.endpoint, (request.view_args or {}).get("filename"))
    if file and response.status_code in (200, 206, 304) and request.args.get("v") == version_of(file):
        response.cache_control.no_cache = None
        response.cache_control.public = True
        response.cache_control.max_age = _FOR_GOOD
        response.cache_control.immutable = True
    return response


def _file_of(endpoint: str | None, name: str | None) -> Path | None:
    """The file behind a static endpoint, of the app or of a blueprint; None for all other endpoints."""
    folder = _folder_of(endpoint or "", current_app) if name else None
    found = safe_join(str(folder), name) if folder and name else None
    return Path(found) if found else None


def _folder_of(endpoint: str, app: Flask) -> Path | None:
    room, _, kind = endpoint.rpartition(".")
    if kind != "static":
        return None
    folder = app.blueprints[room].static_folder if room else app.static_folder
    return Path(folder) if folder else None
