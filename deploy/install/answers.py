"""What the installer must be told. Kept in `<state>/answers.json`, so that a second run asks nothing again."""

import getpass
import json
import re
from collections.abc import Callable
from dataclasses import MISSING, asdict, dataclass, fields, replace
from pathlib import Path
from urllib.parse import quote
from zoneinfo import available_timezones

from chassis.mail_addresses import AddressRefused, wire_address
from chassis.typed.emails import clean_address
from deploy.compose.sites import Sites, is_address
from deploy.files import write_file

_HOST = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_HIGHEST_PORT = 65535


class AnswerFault(Exception):
    """An answer that can't be used; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """An agency, its first admin, its three sites, and the mail server that takes its mail.

    `mail_security` is "tls", "starttls" or "none"; `mail_password` is empty where the server asks for none.
    `phone_address` is this host's that telephones reach, empty where nobody pays by phone.
    """

    agency: str
    time_zone: str
    admin: str
    admin_email: str
    crm_host: str
    portal_host: str
    card_host: str
    certificate: str
    key: str
    mail_host: str
    mail_port: str
    mail_security: str
    mail_user: str
    mail_password: str
    mail_from: str
    # Not in files of before: payments by phone are off unless asked for.
    phone_address: str = ""

    @property
    def hosts(self) -> dict[str, str]:
        return {"crm": self.crm_host, "portal": self.portal_host, "card": self.card_host}

    @property
    def smtp_url(self) -> str:
        """As the notifier reads it."""
        scheme = "smtps" if self.mail_security == "tls" else "smtp"
        user = f"{quote(self.mail_user, safe='')}:{quote(self.mail_password, safe='')}@" if self.mail_user else ""
        host = f"[{self.mail_host}]" if ":" in self.mail_host else self.mail_host
        return f"{scheme}://{user}{host}:{self.mail_port}" + ("?starttls=1" if self.mail_security == "starttls" else "")

    def sites(self, *, address: str, port: int) -> Sites:
        """The stack's sites in production."""
        return Sites(
            hosts=self.hosts,
            port=port,
            address=address,
            certificate=Path(self.certificate),
            key=Path(self.key),
            production=True,
            phone=self.phone_address,
            notifier={"NOTIFIER_SMTP_URL": self.smtp_url, "NOTIFIER_MAIL_FROM": self.mail_from},
        )


def read(path: Path) -> Answers:
    """The answers of a file. Raises AnswerFault for what is missing, too much or unusable, and OSError."""
    try:
        given = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise AnswerFault(f"{path} is not JSON: {error}") from None
    names = [field.name for field in fields(Answers)]
    needed = {field.name for field in fields(Answers) if field.default is MISSING}
    if not isinstance(given, dict) or not needed <= set(given) <= set(names):
        raise AnswerFault(f"{path} must hold exactly these names: {', '.join(names)}.")
    return Answers(**{name: _checked(name, str(given[name])) for name in names if name in given})


def with_phone(answers: Answers, address: str) -> Answers:
    """The same with telephones there, or with none. Raises AnswerFault."""
    return replace(answers, phone_address=_phone(address))


def write(path: Path, answers: Answers) -> None:
    """Keeps them for the next run; the mail server's password is among them, so nobody else may read the file."""
    write_file(path, json.dumps(asdict(answers), indent=2, ensure_ascii=False) + "\n")


def ask(prompt: Callable[[str], str] = input, secret: Callable[[str], str] = getpass.getpass) -> Answers:
    """Asks a person, each question again until its answer can be used."""
    given: dict[str, str] = {}
    for name, (question, _) in _QUESTIONS.items():
        default = _default(name, given)
        if name == "mail_password" and not given["mail_user"]:
            given[name] = ""
            continue
        words = f"{question} [{default}]: " if default else f"{question}: "
        while True:
            typed = (secret if name == "mail_password" else prompt)(words).strip() or default
            try:
                given[name] = _checked(name, typed)
            except AnswerFault as fault:
                print(f"  {fault}")
            else:
                break
    return Answers(**given)


def _default(name: str, given: dict[str, str]) -> str:
    domain = given.get("crm_host", "").partition(".")[2]
    return {
        "time_zone": "America/New_York",
        "portal_host": f"portal.{domain}",
        "mail_port": "587",
        "mail_security": {"465": "tls", "25": "none"}.get(given.get("mail_port", ""), "starttls"),
        "mail_from": f"no-reply@{domain}",
    }.get(name, "")


def _name(text: str) -> str:
    if not text or not text.isprintable():
        raise AnswerFault("Say a name.")
    return text


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise AnswerFault(f"{text!r} is no time zone. Its name looks like America/New_York or Europe/London.")
    return text


def _email(text: str) -> str:
    try:
        return wire_address(clean_address(text))
    except AddressRefused as fault:
        raise AnswerFault(str(fault)) from None


def _host(text: str) -> str:
    lowered = text.lower().removeprefix("https://").rstrip("/.")
    if not _HOST.fullmatch(lowered):
        raise AnswerFault(f"{text!r} is no host name. It looks like crm.agency.com, without a port or path.")
    return lowered


def _file(text: str) -> str:
    path = Path(text).expanduser().resolve()
    if not path.is_file():
        raise AnswerFault(f"There is no file {path}.")
    return str(path)


def _mail_host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:-]{1,253}", text):
        raise AnswerFault(f"{text!r} is neither a host name nor an address.")
    return text


def _port(text: str) -> str:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= _HIGHEST_PORT):
        raise AnswerFault("A port is a number from 1 to 65535.")
    return str(int(text))


def _security(text: str) -> str:
    if text not in ("tls", "starttls", "none"):
        raise AnswerFault("Say tls (port 465), starttls (port 587) or none.")
    return text


def _phone(text: str) -> str:
    if text and not is_address(text):
        raise AnswerFault(f"{text!r} is no IPv4 address. It looks like 192.0.2.10; telephones are told it.")
    return text


def _as_is(text: str) -> str:
    return text


_QUESTIONS: dict[str, tuple[str, Callable[[str], str]]] = {
    "agency": ("The agency's name", _name),
    "time_zone": ("Its time zone", _zone),
    "admin": ("Its first admin's name", _name),
    "admin_email": ("The admin's e-mail address", _email),
    "crm_host": ("Name of the agents' site, such as crm.agency.com", _host),
    "portal_host": ("Name of the clients' site", _host),
    "card_host": ("Name of the card frame's site, best on a domain of its own", _host),
    "certificate": ("File with the sites' certificate and its chain (PEM)", _file),
    "key": ("File with its private key (PEM)", _file),
    "mail_host": ("Mail server", _mail_host),
    "mail_port": ("Its port", _port),
    "mail_security": ("How it is encrypted: tls, starttls or none", _security),
    "mail_user": ("User name there (empty: none)", _as_is),
    "mail_password": ("Password there", _as_is),
    "mail_from": ("Sender of all mail", _email),
    "phone_address": ("For payments by phone: this host's address that telephones reach (empty: none)", _phone),
}


def _checked(name: str, text: str) -> str:
    return _QUESTIONS[name][1](text)
