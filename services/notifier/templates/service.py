"""Renders an e-mail from its template and data."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.notifier.templates.rules import LOGO_ID, Mail, Rendered, Theme, hello_agent, readable_accent, sentence

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "mails"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters["sentence"] = sentence
_ENVIRONMENT.globals["hello_agent"] = hello_agent


# "7:00 AM EST" and "Thu 3 Dec 2026"; on a phone each stays on one line, as a telephone number does.
_TIME = re.compile(r"(?<=\d:\d\d) ([AP]M) (?=[A-Z])")
_DAY = re.compile(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{1,2} [A-Z][a-z]{2}(?: \d{4})?\b")
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
    return _DAY.sub(lambda day: day[0].replace(" ", "\u00a0"), _TIME.sub("\u00a0\\1\u00a0", value))
