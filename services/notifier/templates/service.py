"""Renders an e-mail from its template and data."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.notifier.templates.rules import LOGO_ID, Mail, Rendered, Theme, readable_accent

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "mails"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


# "7:00 AM EST"; on a phone it stays on one line, as a telephone number does.
_TIME = re.compile(r"(?<=\d:\d\d) ([AP]M) (?=[A-Z])")
_TELEPHONES = ("agent_phone", "agency_phone", "client_phone")


def render(mail: Mail, data: Mapping[str, str], theme: Theme) -> Rendered:
    """The mail's subject, text and HTML. Raises jinja2.UndefinedError when `data` lacks what the template shows."""
    values = {"m": dict(data), "theme": theme, "accent": readable_accent(theme.accent), "logo_id": LOGO_ID}
    subject = _ENVIRONMENT.get_template(f"{mail}.subject").render(values).strip()
    text = _ENVIRONMENT.get_template(f"{mail}.txt").render(values).strip() + "\n"
    unbroken = {name: _unbroken(name, value) for name, value in data.items()}
    themed = replace(theme, phone=_unbroken("agency_phone", theme.phone))
    on_screen = {"m": unbroken, "theme": themed, "subject": subject}
    html = _ENVIRONMENT.get_template(f"{mail}.html").render(values | on_screen)
    return Rendered(subject=subject, text=text, html=html)


def _unbroken(name: str, value: str) -> str:
    if name in _TELEPHONES:
        return value.replace(" ", "\u00a0")
    return _TIME.sub("\u00a0\\1\u00a0", value)
