"""Ways out: SMTP, or on a developer's machine the mailbox."""

import smtplib
import ssl
from email.message import EmailMessage
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from services.notifier.deliveries.rules import Deferred, Outcome, Refused, Sent

TIMEOUT_SECONDS: Final = 20.0


class Transport(Protocol):
    """Hands a message to whoever carries it on. Never raises for what the other side does."""

    def send(self, message: EmailMessage, recipient: str) -> Outcome: ...


class SmtpTransport:
    """SMTP (RFC 5321): `smtp://[user:password@]host[:port]`, with `?starttls=1`, or `smtps://…`."""

    def __init__(self, url: str, *, tls_context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("SMTP_URL looks like smtp://host:25 or smtps://user:password@host:465")
        self._implicit_tls = parts.scheme == "smtps"
        self._starttls = "starttls=1" in parts.query
        self._host = parts.hostname
        self._port = parts.port or (465 if self._implicit_tls else 25)
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._context = tls_context or ssl.create_default_context()

    def send(self, message: EmailMessage, recipient: str) -> Outcome:
        try:
            with self._connect() as server:
                if self._starttls:
                    server.starttls(context=self._context)
                if self._user:
                    server.login(self._user, self._password)
                server.send_message(message, to_addrs=[recipient])
        except smtplib.SMTPRecipientsRefused as error:
            return _by_code(next(iter(error.recipients.values()))[0], "The mail server did not take this address.")
        except smtplib.SMTPAuthenticationError:
            # Ours to mend, not the recipient's fault: keep the mail until the operator has.
            return Deferred(reason="The mail server did not accept our sign-in.")
        except smtplib.SMTPResponseException as error:
            return _by_code(error.smtp_code, "The mail server did not take the message.")
        except smtplib.SMTPNotSupportedError:
            return Deferred(reason="The mail server lacks something that this message needs.")
        except (TimeoutError, smtplib.SMTPException, OSError):
            return Deferred(reason="The mail server can't be reached.")
        return Sent()

    def _connect(self) -> smtplib.SMTP:
        if self._implicit_tls:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_SECONDS, context=self._context)
        return smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_SECONDS)


def _by_code(code: int, words: str) -> Outcome:
    if 400 <= code < 500:
        return Deferred(reason=f"{words} It may later (reply {code}).")
    return Refused(reason=f"{words} (reply {code})")
