"""Ways out: SMTP, or on a developer's machine the mailbox."""

import smtplib
import ssl
import time
from email.message import EmailMessage
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

import structlog

from services.notifier.deliveries.message import SMTP_SAFE
from services.notifier.deliveries.rules import Deferred, Outcome, Refused, Sent

# A command's answer is waited for this long; all together, up to the answer to DATA, must end before the delivery's
# lease does (rules.LEASE), so that nobody else sends the same mail meanwhile.
COMMAND_SECONDS: Final = 20.0
CONVERSATION_SECONDS: Final = 100.0
_GOODBYE_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


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
        """The answer to the end of DATA decides (RFC 5321 §4.1.1.4): 250 there means that the server has the mail, and
        whatever comes after it, an error reply to QUIT or a broken line, changes nothing (§6.1)."""
        deadline = time.monotonic() + CONVERSATION_SECONDS
        try:
            server = self._connect()
        except (smtplib.SMTPException, OSError):
            # Also a greeting of 554 (§3.1): the server takes nobody's mail now, which is not this recipient's fault.
            return Deferred(reason="The mail server could not be reached.")
        try:
            return self._hand_over(server, message, recipient, deadline)
        except smtplib.SMTPAuthenticationError:
            # Ours to mend, not the recipient's fault: keep the mail until the operator has.
            return Deferred(reason="The mail server did not accept Wayvault's sign-in.")
        except smtplib.SMTPNotSupportedError:
            return Deferred(reason="The mail server lacks what this message needs (TLS or sign-in).")
        except smtplib.SMTPResponseException as error:
            return _by_reply(error.smtp_code, "The mail server did not take the message.")
        except (smtplib.SMTPException, OSError):
            return Deferred(reason="The connection to the mail server broke off.")
        finally:
            _part(server)

    def _hand_over(self, server: smtplib.SMTP, message: EmailMessage, recipient: str, deadline: float) -> Outcome:
        _allow(server, deadline)
        if self._starttls:
            server.starttls(context=self._context)
        if self._user:
            _allow(server, deadline)
            server.login(self._user, self._password)
        server.ehlo_or_helo_if_needed()
        sender = message["From"].addresses[0].addr_spec
        for command, argument, words in (
            (server.mail, sender, "The mail server does not take mail from this agency's address."),
            (server.rcpt, recipient, "The recipient's mail server did not take this address."),
        ):
            _allow(server, deadline)
            code, _ = command(argument)
            if not 200 <= code < 300:
                return _by_reply(code, words)
        # The answer to the whole message may take the rest of the time: giving up on it early is what doubles mails.
        _allow(server, deadline, CONVERSATION_SECONDS)
        code, _ = server.data(message.as_bytes(policy=SMTP_SAFE))
        return Sent() if 200 <= code < 300 else _by_reply(code, "The mail server did not take the message.")

    def _connect(self) -> smtplib.SMTP:
        if self._implicit_tls:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=COMMAND_SECONDS, context=self._context)
        return smtplib.SMTP(self._host, self._port, timeout=COMMAND_SECONDS)


def _allow(server: smtplib.SMTP, deadline: float, most: float = COMMAND_SECONDS) -> None:
    """Gives the next command its time. Raises TimeoutError when all of it is used up."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the conversation took too long")
    if server.sock is not None:
        server.sock.settimeout(min(most, left))


def _part(server: smtplib.SMTP) -> None:
    """Says goodbye, as a courtesy: what the server makes of it is of no interest to anybody."""
    try:
        if server.sock is not None:
            server.sock.settimeout(_GOODBYE_SECONDS)
            server.quit()
    except (smtplib.SMTPException, OSError) as error:
        log.info("smtp.quit_failed", error=type(error).__name__)
    finally:
        server.close()


def _by_reply(code: int, words: str) -> Outcome:
    """By the reply's first digit (RFC 5321 §4.2.1): 5 is for good, 4 (and what makes no sense) may pass.

    421 (closing) and 530 to 538 (sign-in wanted, RFC 4954 §6) are between the two servers and never the address.
    """
    if 500 <= code < 600 and not 530 <= code <= 538:
        return Refused(reason=f"{words} It answered {code}, which is final.")
    return Deferred(reason=f"{words} It answered {code}.")
