"""A connection to the mail server serves one mail after the other, and losing it neither costs nor doubles one."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from services.notifier.deliveries import smtp_lines
from services.notifier.deliveries.rules import Deferred, Refused, Sent
from services.notifier.deliveries.transports import SmtpTransport
from tests.integration.notifier.test_smtp_endings import message
from tests.support.smtp import BREAK_OFF, Script, scripted_server

_FIRST = ["ehlo", "mail", "rcpt", "data"]
_NEXT = ["rset", "mail", "rcpt", "data"]


@pytest.fixture
def serve() -> Iterator[Callable[[Script], SmtpTransport]]:
    with ExitStack() as started:

        def start(script: Script) -> SmtpTransport:
            transport = SmtpTransport(started.enter_context(scripted_server(script)))
            started.callback(transport.let_go, all_of_it=True)
            return transport

        yield start


def test_mails_in_a_row_share_a_connection_and_each_begins_afresh(serve: Callable[[Script], SmtpTransport]) -> None:
    transport = serve(script := Script())
    assert [transport.send(message(), "ann@example.com") for _ in range(3)] == [Sent()] * 3
    assert script.heard == [_FIRST + _NEXT + _NEXT]
    assert len(script.taken) == 3


def test_a_refused_recipient_does_not_spoil_the_next_mail(serve: Callable[[Script], SmtpTransport]) -> None:
    transport = serve(script := Script(answers={"rcpt": "550 no such person"}))
    assert isinstance(transport.send(message(), "ann@example.com"), Refused)
    script.answers.clear()
    assert transport.send(message(), "ann@example.com") == Sent()
    assert script.heard == [["ehlo", "mail", "rcpt", *_NEXT]]


@pytest.mark.parametrize("saying", ["", "421 4.4.2 too long without a command\r\n"])
def test_a_connection_that_the_server_closed_meanwhile_costs_nothing(
    serve: Callable[[Script], SmtpTransport], saying: str
) -> None:
    transport = serve(script := Script())
    assert transport.send(message(), "ann@example.com") == Sent()
    script.hang_up(saying=saying)
    assert transport.send(message(), "ann@example.com") == Sent()
    assert len(script.taken) == 2
    assert script.heard[1] == _FIRST


@pytest.mark.parametrize("word", ["rset", "mail"])
@pytest.mark.parametrize("answer", ["421 closing", "452 too many mails on this connection", "nonsense", BREAK_OFF])
def test_a_server_that_wants_no_more_on_a_kept_connection_gets_the_mail_on_a_new_one(
    serve: Callable[[Script], SmtpTransport], word: str, answer: str
) -> None:
    transport = serve(script := Script())
    assert transport.send(message(), "ann@example.com") == Sent()
    script.answers[word] = answer
    outcome = transport.send(message(), "ann@example.com")
    # What it answers to a new connection counts as ever.
    assert outcome == Sent() if word == "rset" else isinstance(outcome, Deferred)
    assert script.heard[0][len(_FIRST) :][: 1 if word == "rset" else 2] == _NEXT[: 1 if word == "rset" else 2]
    assert len(script.heard) == 2
    assert len(script.taken) == (2 if word == "rset" else 1)


@pytest.mark.parametrize("answer", ["421 closing", "451 later", BREAK_OFF])
def test_a_mail_that_was_handed_over_and_got_no_yes_is_not_sent_again_at_once(
    serve: Callable[[Script], SmtpTransport], answer: str
) -> None:
    transport = serve(script := Script())
    assert transport.send(message(), "ann@example.com") == Sent()
    script.answers["end"] = answer
    assert isinstance(transport.send(message(), "ann@example.com"), Deferred)
    assert len(script.taken) == 2
    assert len(script.heard) == 1


@pytest.mark.parametrize("answer", ["421 closing", BREAK_OFF])
def test_a_connection_that_ended_within_a_mail_is_not_used_again(
    serve: Callable[[Script], SmtpTransport], answer: str
) -> None:
    transport = serve(script := Script(answers={"rcpt": answer}))
    assert isinstance(transport.send(message(), "ann@example.com"), Deferred)
    script.answers.clear()
    assert transport.send(message(), "ann@example.com") == Sent()
    assert script.heard[1] == _FIRST


def test_a_connection_ends_after_its_number_of_mails(
    serve: Callable[[Script], SmtpTransport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_lines, "LINE_MAILS", 2)
    transport = serve(script := Script())
    for _ in range(3):
        assert transport.send(message(), "ann@example.com") == Sent()
    assert script.heard == [[*_FIRST, *_NEXT, "quit"], _FIRST]


@pytest.mark.parametrize("limit", ["LINE_SECONDS", "REST_SECONDS"])
def test_a_connection_ends_after_its_time(
    serve: Callable[[Script], SmtpTransport], monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(smtp_lines, limit, 0.0)
    transport = serve(script := Script())
    for _ in range(2):
        assert transport.send(message(), "ann@example.com") == Sent()
    assert script.heard == [[*_FIRST, "quit"], _FIRST if limit == "REST_SECONDS" else [*_FIRST, "quit"]]


def test_when_there_is_nothing_to_send_the_server_is_let_go(serve: Callable[[Script], SmtpTransport]) -> None:
    transport = serve(script := Script())
    assert transport.send(message(), "ann@example.com") == Sent()
    transport.let_go()
    assert script.heard == [_FIRST]
    transport.let_go(all_of_it=True)
    assert script.heard == [[*_FIRST, "quit"]]


def test_senders_side_by_side_never_share_a_connection(serve: Callable[[Script], SmtpTransport]) -> None:
    transport = serve(script := Script())
    outcomes: list[object] = []

    def send() -> None:
        outcomes.extend(transport.send(message(text=f"{time.monotonic()}\n"), "ann@example.com") for _ in range(10))

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert outcomes == [Sent()] * 40
    assert len({raw for _, raw in script.taken}) == 40
    assert len(script.heard) <= 4
