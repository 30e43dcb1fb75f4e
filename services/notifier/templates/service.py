"""Renders an e-mail from its template and data."""

from collections.abc import Mapping
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


def render(mail: Mail, data: Mapping[str, str], theme: Theme) -> Rendered:
    """The mail's subject, text and HTML. Raises jinja2.UndefinedError when `data` lacks what the template shows."""
    values = {"m": dict(data), "theme": theme, "accent": readable_accent(theme.accent), "logo_id": LOGO_ID}
    subject = _ENVIRONMENT.get_template(f"{mail}.subject").render(values).strip()
    text = _ENVIRONMENT.get_template(f"{mail}.txt").render(values).strip() + "\n"
    html = _ENVIRONMENT.get_template(f"{mail}.html").render(values | {"subject": subject})
    return Rendered(subject=subject, text=text, html=html)
