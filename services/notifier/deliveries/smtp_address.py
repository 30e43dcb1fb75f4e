"""The mail server's address as an operator writes it. Pure."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

_HOST = re.compile(r"[\w.:%-]+")
_HOW = "SMTP_URL looks like smtp://host:25?starttls=1 or smtps://user:password@host:465"
_ESCAPES = "; in user and password @ is written %40, : %3A, / %2F, # %23, ? %3F and % %25"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpAddress:
    """Where mail is handed over, and how: `implicit_tls` from the first byte on (RFC 8314 §3.3), `starttls` before
    anything of the mail is said (RFC 3207), or neither."""

    host: str
    port: int
    implicit_tls: bool
    starttls: bool
    user: str
    password: str

    @classmethod
    def read(cls, url: str) -> Self:
        """Raises ValueError in words for what names no server, and for an option that is none: "?starttls=true" must
        not mean that mail leaves in the clear. No message repeats the URL, in which a password stands."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
            options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        except ValueError as error:
            raise ValueError(_HOW + _ESCAPES) from error
        if parts.scheme not in ("smtp", "smtps") or not host or not _HOST.fullmatch(host) or port == 0:
            raise ValueError(_HOW)
        # A "/" or "#" that was not escaped in a password: what follows it is no part of the host.
        if parts.path not in ("", "/") or parts.fragment:
            raise ValueError(_HOW + _ESCAPES)
        implicit_tls = parts.scheme == "smtps"
        if options and (implicit_tls or options.keys() != {"starttls"} or options["starttls"] not in ("0", "1")):
            raise ValueError(f"{_HOW}; starttls=1 is the only option, and none of smtps://")
        return cls(
            host=host,
            port=port or (465 if implicit_tls else 25),
            implicit_tls=implicit_tls,
            starttls=options.get("starttls") == "1",
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )
