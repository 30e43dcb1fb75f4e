"""smtplib's client, for what servers and operators do beyond its expectations."""

import smtplib
import ssl
from base64 import b64encode
from typing import Final

from services.notifier.deliveries.smtp_address import SmtpAddress

# RFC 5321 §4.5.3.1.5 has 512 octets for a line of a reply. Longer ones are read to their end, up to these bounds.
_LONGEST_LINE: Final = 100_000
_MOST_LINES: Final = 1_000


def open_server(address: SmtpAddress, context: ssl.SSLContext, timeout: float) -> smtplib.SMTP:
    """Connects and hears the greeting, which takes at most so many seconds each. Raises SMTPException, OSError."""
    if address.implicit_tls:
        return _TlsServer(address.host, address.port, timeout=timeout, context=context)
    return _Server(address.host, address.port, timeout=timeout)


def sign_in(server: smtplib.SMTP, user: str, password: str) -> None:
    """As smtplib does; what is not ASCII, which smtplib can't say, in UTF-8 (RFC 4616 §2). Raises SMTPException."""
    if (user + password).isascii():
        server.login(user, password)
        return
    server.ehlo_or_helo_if_needed()
    if not server.has_extn("auth"):
        raise smtplib.SMTPNotSupportedError("no sign-in offered")
    proof = b64encode(f"\0{user}\0{password}".encode()).decode("ascii")
    code, said = server.docmd("AUTH", f"PLAIN {proof}")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, said)


class _Server(smtplib.SMTP):
    def getreply(self) -> tuple[int, bytes]:
        return _reply(self)


class _TlsServer(smtplib.SMTP_SSL):
    def getreply(self) -> tuple[int, bytes]:
        return _reply(self)


def _reply(server: smtplib.SMTP) -> tuple[int, bytes]:
    """The code, -1 where there is none, and the text. smtplib makes an error 500 of a long line whatever it says, so
    that a mail which the server took counts as refused. Raises SMTPServerDisconnected."""
    said: list[bytes] = []
    while len(said) < _MOST_LINES:
        line = _line(server)
        said.append(line[4:].strip())
        code = int(line[:3]) if len(line) >= 3 and line[:3].isdigit() else -1
        if code < 0 or line[3:4] != b"-":
            return code, b"\n".join(said)
    raise _parted(server, "a reply without an end")


def _line(server: smtplib.SMTP) -> bytes:
    try:
        if server.file is None and server.sock is not None:
            server.file = server.sock.makefile("rb")
        line: bytes = server.file.readline(_LONGEST_LINE) if server.file is not None else b""
    except OSError as error:
        raise _parted(server, str(error)) from error
    if not line or len(line) == _LONGEST_LINE:
        raise _parted(server, "no whole line of a reply")
    return line


def _parted(server: smtplib.SMTP, why: str) -> smtplib.SMTPServerDisconnected:
    server.close()
    return smtplib.SMTPServerDisconnected(why)
