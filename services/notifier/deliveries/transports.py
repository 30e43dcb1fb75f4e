"""Ways out: SMTP, or on a developer's machine the mailbox."""

import smtplib
import ssl
import time
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

import structlog

from services.notifier.deliveries.message import SMTP_SAFE
from services.notifier.deliveries.rules import Deferred, Outcome, Refused, Sent
from services.notifier.deliveries.smtp_lines import REST_SECONDS, Line, Lines

# A command's answer is waited for this long, and all together, up to the answer to DATA.
COMMAND_SECONDS: Final = 20.0
CONVERSATION_SECONDS: Final = 100.0
# How long a kept connection may take to show that the server is still there.
_STILL_THERE_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


class Transport(Protocol):
    """Hands a message to whoever carries it on. Never raises for what the other side does."""

    def send(self, message: EmailMessage, recipient: str) -> Outcome: ...

    def let_go(self, *, all_of_it: bool = False) -> None:
        """Nothing is to be sent for now: gives back what was kept for the next message and has waited long enough, or
        all of it."""


class SmtpTransport:
    """SMTP (RFC 5321): `smtp://[user:password@]host[:port]`, with `?starttls=1`, or `smtps://…`.

    A connection serves one mail after the other for a while (`smtp_lines`).
    """

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
        self._lines = Lines()

    def send(self, message: EmailMessage, recipient: str) -> Outcome:
        """The answer to the end of DATA decides (RFC 5321 §4.1.1.4): 250 there means that the server has the mail, and
        whatever comes after it, an error reply to QUIT or a broken line, changes nothing (§6.1)."""
        deadline = time.monotonic() + CONVERSATION_SECONDS
        sender = message["From"].addresses[0].addr_spec
        line = self._taken_up(sender, deadline)
        if line is not None:
            return self._conversation(line, message, recipient, deadline)
        try:
            line = Line(self._connect())
        except (smtplib.SMTPException, OSError):
            # Also a greeting of 554 (§3.1): the server takes nobody's mail now, which is not this recipient's fault.
            return Deferred(reason="The mail server could not be reached.")
        return self._conversation(line, message, recipient, deadline, sender=sender)

    def let_go(self, *, all_of_it: bool = False) -> None:
        self._lines.let_go(rested=0.0 if all_of_it else REST_SECONDS)

    def _taken_up(self, sender: str, deadline: float) -> Line | None:
        """A kept connection on which the server has agreed to take the next mail of this sender; None where there is
        none. What the server did meanwhile costs nothing: it closed the connection, says 421, or wants no more mail on
        it. Nothing of the mail has been handed over by then, and a new connection begins from the start."""
        while (line := self._lines.take()) is not None:
            asked = (line.server.rset, partial(line.server.mail, sender))
            try:
                if all(_is_yes(_answer(line, deadline, _STILL_THERE_SECONDS, ask)) for ask in asked):
                    return line
            except (smtplib.SMTPException, OSError):
                log.info("smtp.kept_line_gone")
            line.part()
        return None

    def _conversation(
        self, line: Line, message: EmailMessage, recipient: str, deadline: float, *, sender: str = ""
    ) -> Outcome:
        """Hands the mail over; with `sender`, on a connection that is new. Keeps the connection if it is of further
        use."""
        try:
            if sender:
                self._introduce(line.server, deadline)
            return _handed_over(line, message, recipient, deadline, sender=sender)
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
            self._lines.keep(line)

    def _introduce(self, server: smtplib.SMTP, deadline: float) -> None:
        _allow(server, deadline)
        if self._starttls:
            server.starttls(context=self._context)
        if self._user:
            _allow(server, deadline)
            server.login(self._user, self._password)
        server.ehlo_or_helo_if_needed()

    def _connect(self) -> smtplib.SMTP:
        if self._implicit_tls:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=COMMAND_SECONDS, context=self._context)
        return smtplib.SMTP(self._host, self._port, timeout=COMMAND_SECONDS)


def _handed_over(line: Line, message: EmailMessage, recipient: str, deadline: float, *, sender: str) -> Outcome:
    """From MAIL on; from RCPT on without a `sender`, whom the server has agreed to already."""
    server = line.server
    mail = (partial(server.mail, sender), "The mail server does not take mail from this agency's address.")
    rcpt = (partial(server.rcpt, recipient), "The recipient's mail server did not take this address.")
    for command, words in (mail, rcpt) if sender else (rcpt,):
        code = _answer(line, deadline, COMMAND_SECONDS, command)
        if not _is_yes(code):
            return _by_reply(code, words)
    # The answer to the whole message may take the rest of the time: giving up on it early is what doubles mails.
    whole = message.as_bytes(policy=SMTP_SAFE)
    code = _answer(line, deadline, CONVERSATION_SECONDS, partial(server.data, whole))
    line.mails += 1
    return Sent() if _is_yes(code) else _by_reply(code, "The mail server did not take the message.")


def _answer(line: Line, deadline: float, most: float, say: Callable[[], tuple[int, bytes]]) -> int:
    """The code of the reply to what is said, waited for at most so many seconds."""
    _allow(line.server, deadline, most)
    line.in_step = False
    code, _ = say()
    line.answered(code)
    return code


def _is_yes(code: int) -> bool:
    return 200 <= code < 300


def _allow(server: smtplib.SMTP, deadline: float, most: float = COMMAND_SECONDS) -> None:
    """Gives the next command its time. Raises TimeoutError when all of it is used up."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the conversation took too long")
    if server.sock is not None:
        server.sock.settimeout(min(most, left))


def _by_reply(code: int, words: str) -> Outcome:
    """By the reply's first digit (RFC 5321 §4.2.1): 5 is for good, 4 (and what makes no sense) may pass.

    421 (closing) and 530 to 538 (sign-in wanted, RFC 4954 §6) are between the two servers and never the address.
    """
    if 500 <= code < 600 and not 530 <= code <= 538:
        return Refused(reason=f"{words} It answered {code}, which is final.")
    return Deferred(reason=f"{words} It answered {code}.")
