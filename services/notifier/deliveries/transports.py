"""Ways out: SMTP, or on a developer's machine the mailbox."""

import smtplib
import ssl
import time
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial
from typing import Final, Protocol

import structlog

from services.notifier.deliveries.message import SMTP_SAFE
from services.notifier.deliveries.rules import Deferred, Outcome, Sent
from services.notifier.deliveries.smtp_address import SmtpAddress
from services.notifier.deliveries.smtp_client import open_server, sign_in
from services.notifier.deliveries.smtp_lines import REST_SECONDS, Line, Lines
from services.notifier.deliveries.smtp_replies import Step, outcome_of

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
    """SMTP (RFC 5321): `smtp://[user:password@]host[:port]`, with `?starttls=1`, or `smtps://…` (`smtp_address`).

    A connection serves one mail after the other for a while (`smtp_lines`).
    """

    def __init__(self, url: str, *, tls_context: ssl.SSLContext | None = None) -> None:
        self._address = SmtpAddress.read(url)
        self._context = tls_context or ssl.create_default_context()
        self._lines = Lines()

    def send(self, message: EmailMessage, recipient: str) -> Outcome:
        """The answer to the end of DATA decides (RFC 5321 §4.1.1.4): 250 there means that the server has the mail, and
        whatever comes after it, an error reply to QUIT or a broken line, changes nothing (§6.1)."""
        deadline = time.monotonic() + CONVERSATION_SECONDS
        sender = message["From"].addresses[0].addr_spec
        whole = message.as_bytes(policy=SMTP_SAFE)
        line = self._taken_up(sender, len(whole), deadline)
        if line is None:
            line, refusal = self._introduced(deadline)
            if line is None:
                return Deferred(reason=refusal)
        else:
            # The server has agreed to take this sender's mail already.
            sender = ""
        return self._conversation(line, whole, recipient, deadline, sender=sender)

    def let_go(self, *, all_of_it: bool = False) -> None:
        self._lines.let_go(rested=0.0 if all_of_it else REST_SECONDS)

    def _taken_up(self, sender: str, size: int, deadline: float) -> Line | None:
        """A kept connection on which the server has agreed to take the next mail of this sender; None where there is
        none. What the server did meanwhile costs nothing: it closed the connection, says 421, or wants no more mail on
        it. Nothing of the mail has been handed over by then, and a new connection begins from the start."""
        while (line := self._lines.take()) is not None:
            asked = (line.server.rset, partial(_mail, line.server, sender, size))
            try:
                if all(_is_yes(_answer(line, deadline, _STILL_THERE_SECONDS, ask)[0]) for ask in asked):
                    return line
            except (smtplib.SMTPException, OSError):
                log.info("smtp.kept_line_gone")
            line.part()
        return None

    def _introduced(self, deadline: float) -> tuple[Line | None, str]:
        """A new connection, greeted and signed in; None with the reason where there is none. Whatever the server says
        by then is between the two of them, and no fault of the mail or its recipient."""
        try:
            line = Line(open_server(self._address, self._context, COMMAND_SECONDS))
        except (smtplib.SMTPException, OSError) as error:
            return None, _unreached(error)
        try:
            self._introduce(line.server, deadline)
        except (smtplib.SMTPException, OSError) as error:
            line.part()
            return None, _unintroduced(error)
        return line, ""

    def _introduce(self, server: smtplib.SMTP, deadline: float) -> None:
        _allow(server, deadline)
        if self._address.starttls:
            server.starttls(context=self._context)
        if self._address.user:
            _allow(server, deadline)
            sign_in(server, self._address.user, self._address.password)
        server.ehlo_or_helo_if_needed()

    def _conversation(self, line: Line, whole: bytes, recipient: str, deadline: float, *, sender: str) -> Outcome:
        """Hands the mail over, and keeps the connection if it is of further use."""
        try:
            return _handed_over(line, whole, recipient, deadline, sender=sender)
        except smtplib.SMTPDataError as error:
            said = error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
            return outcome_of(Step.MESSAGE, error.smtp_code, said)
        except (smtplib.SMTPException, OSError):
            return Deferred(reason="The connection to the mail server broke off.")
        finally:
            self._lines.keep(line)


def _unreached(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return _without_tls(error)
    if isinstance(error, smtplib.SMTPConnectError) and 400 <= error.smtp_code < 600:
        # A greeting of 554 (§3.1) too: the server takes nobody's mail now.
        return f"The mail server takes no mail now. The server answered {error.smtp_code}."
    return "The mail server could not be reached."


def _unintroduced(error: Exception) -> str:
    match error:
        case ssl.SSLError():
            return _without_tls(error)
        case smtplib.SMTPAuthenticationError(smtp_code=code) if 400 <= code < 500:
            return f"The mail server could not check Wayvault's sign-in now. The server answered {code}."
        case smtplib.SMTPAuthenticationError():
            # Ours to mend: the mail waits until the operator has.
            return "The mail server did not accept Wayvault's sign-in. An operator has to mend that."
        case smtplib.SMTPNotSupportedError():
            return "The mail server lacks what this message needs (TLS or sign-in). An operator has to mend that."
        case smtplib.SMTPResponseException(smtp_code=code):
            return f"The mail server takes no mail from Wayvault now. The server answered {code}."
        case smtplib.SMTPException() if not isinstance(error, smtplib.SMTPServerDisconnected):
            return "The mail server offers no way to sign in that Wayvault knows. An operator has to mend that."
        case _:
            return "The connection to the mail server broke off."


def _without_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The mail server's certificate can't be trusted: {error.verify_message}. An operator has to mend that."
    return "No secure connection to the mail server came about."


def _handed_over(line: Line, whole: bytes, recipient: str, deadline: float, *, sender: str) -> Outcome:
    """From MAIL on; from RCPT on without a `sender`, whom the server has agreed to already."""
    server = line.server
    mail = (Step.SENDER, partial(_mail, server, sender, len(whole)))
    rcpt = (Step.RECIPIENT, partial(server.rcpt, recipient))
    for step, command in (mail, rcpt) if sender else (rcpt,):
        code, said = _answer(line, deadline, COMMAND_SECONDS, command)
        if not _is_yes(code):
            return outcome_of(step, code, said)
    # The answer to the whole message may take the rest of the time: giving up on it early is what doubles mails.
    code, said = _answer(line, deadline, CONVERSATION_SECONDS, partial(server.data, whole))
    line.mails += 1
    return Sent() if _is_yes(code) else outcome_of(Step.MESSAGE, code, said)


def _mail(server: smtplib.SMTP, sender: str, size: int) -> tuple[int, bytes]:
    """MAIL, with the size where the server wishes to know it (RFC 1870): what is too large is refused before it is
    sent, and in words that say so."""
    return server.mail(sender, [f"SIZE={size}"] if server.has_extn("size") else ())


def _answer(line: Line, deadline: float, most: float, say: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
    """The reply to what is said, waited for at most so many seconds."""
    _allow(line.server, deadline, most)
    line.in_step = False
    code, said = say()
    line.answered(code)
    return code, said


def _is_yes(code: int) -> bool:
    return 200 <= code < 300


def _allow(server: smtplib.SMTP, deadline: float, most: float = COMMAND_SECONDS) -> None:
    """Gives the next command its time. Raises TimeoutError when all of it is used up."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the conversation took too long")
    if server.sock is not None:
        server.sock.settimeout(min(most, left))
