"""Outline icons (Lucide), inlined into the page so that they take the text's colour and need no request."""

import json
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup, escape

ICON_FILE = Path(__file__).parent / "static" / "vendor" / "icons.json"


class UnknownIcon(LookupError):
    """A template names an icon that the installed set does not have."""


@lru_cache(maxsize=1)
def _icons() -> dict[str, str]:
    if not ICON_FILE.exists():
        raise FileNotFoundError(f"{ICON_FILE} is missing: run `python -m chassis.web.assets` (make setup does).")
    loaded: dict[str, str] = json.loads(ICON_FILE.read_text())
    return loaded


@lru_cache(maxsize=512)
def icon(name: str, *, label: str = "", size: str = "") -> Markup:
    """An `<svg>`; hidden from screen readers unless it has a label. `size` is "", "sm", "lg" or "xl"."""
    try:
        body = _icons()[name]
    except KeyError:
        raise UnknownIcon(name) from None
    described = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    extra = f" wv-icon-{escape(size)}" if size else ""
    return Markup(  # noqa: S704 - body comes from the installed icon set, label is escaped above
        f'<svg class="wv-icon{extra}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
        f'stroke-linecap="round" stroke-linejoin="round" focusable="false" {described}>{body}</svg>'
    )
