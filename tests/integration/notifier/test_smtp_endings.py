"""What decides over a mail: the answer to the end of DATA, and nothing after it (case 04-smtp-quit)."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notifier.deliveries.message import ReplyTo, build
from services.notifier.deliveries.rules import Deferred, Refused, Sent
from services.notifier.templates.rules import Rendered
from tests.support.smtp import BREAK_OFF, Script, scripted_server, send_alone
from tests.support.thorough import examples


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[Script], str]]:
    with ExitStack() as started:
        yield lambda script: started.enter_context(scripted_server(script))


def message(recipient: str = "ann@example.com", text: str = "Grüße\n") -> EmailMessage:
    return build(
        message_id="dlv_1",
        sender_name="Harbour & Vine",
        sender_address="no-reply@wayvault.example",
        reply_to=ReplyTo(),
        recipient=recipient,
        rendered=Rendered(subject="Hello Zoë", text=text, html=f"<p>{text}</p>"),
        attachments=(),
        now=datetime(2026, 11, 21, tzinfo=UTC),
    )


@pytest.mark.parametrize("goodbye", ["221 bye", "250 ok", "421 later", "554 no", "nonsense", BREAK_OFF])
def test_whatever_the_server_answers_to_quit_a_mail_it_took_is_sent_once(
    serve: Callable[[Script], str], goodbye: str
) -> None:
    script = Script(answers={"quit": goodbye})
    assert send_alone(serve(script), message(), "ann@example.com") == Sent()
    assert len(script.taken) == 1


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"hello": "554 not here"}, Deferred),
        ({"hello": BREAK_OFF}, Deferred),
        ({"mail": "451 later"}, Deferred),
        ({"mail": "530 sign in first"}, Deferred),
        ({"mail": "550 not you"}, Refused),
        ({"rcpt": "450 greylisted"}, Deferred),
        ({"rcpt": "421 closing"}, Deferred),
        ({"rcpt": "550 no such person"}, Refused),
        ({"rcpt": BREAK_OFF}, Deferred),
        ({"data": "554 no"}, Refused),
        ({"data": "451 no"}, Deferred),
        ({"end": "552 too large"}, Refused),
        ({"end": "452 full"}, Deferred),
        ({"end": BREAK_OFF}, Deferred),
        # Whatever is said before the mail is no fault of the mail.
        ({"ehlo": "554 blocked", "helo": "554 blocked"}, Deferred),
        ({"ehlo": "501 what name", "helo": "501 what name"}, Deferred),
        ({"ehlo": BREAK_OFF}, Deferred),
        ({"hello": "HTTP/1.1 400 Bad Request"}, Deferred),
        ({"mail": "552 5.3.4 too large"}, Refused),
        ({"data": "250 instead of 354"}, Deferred),
        ({"data": BREAK_OFF}, Deferred),
        ({"rcpt": "25"}, Deferred),
        ({"end": "354 again"}, Deferred),
        ({"end": "550 " + "x" * 9_000}, Refused),
        ({"end": "451 " + "x" * 9_000}, Deferred),
    ],
)
def test_a_refusal_for_good_and_one_for_now_are_told_apart_at_every_step(
    serve: Callable[[Script], str], answers: dict[str, str], outcome: type
) -> None:
    found = send_alone(serve(Script(answers=answers)), message(), "ann@example.com")
    assert isinstance(found, outcome)


@pytest.mark.parametrize(
    "answers",
    [
        {"hello": "220-one\r\n220 two"},
        {"ehlo": "502 what"},
        {"ehlo": "250-sink\r\n250 SIZE nonsense"},
        {"rcpt": "251 passed on"},
        {"rcpt": "252 perhaps"},
        {"end": "250"},
        {"end": "250-one\r\n250-two\r\n250 three"},
        {"end": "250 " + "x" * 9_000},
        {"end": f"250-{'x' * 9_000}\r\n250 ok"},
        {"end": "250 ok\r\n550 too late"},
    ],
)
def test_a_mail_that_the_server_took_in_whatever_words_is_sent(
    serve: Callable[[Script], str], answers: dict[str, str]
) -> None:
    script = Script(answers=answers)
    assert send_alone(serve(script), message(), "ann@example.com") == Sent()
    assert len(script.taken) == 1


def test_a_reply_without_an_end_ends_the_connection(serve: Callable[[Script], str]) -> None:
    script = Script(answers={"rcpt": "250-go on\r\n" * 1_500})
    assert isinstance(send_alone(serve(script), message(), "ann@example.com"), Deferred)


def test_a_server_that_has_a_limit_is_told_the_size_before_the_mail(serve: Callable[[Script], str]) -> None:
    script = Script(answers={"ehlo": "250-sink\r\n250 SIZE 100"})
    assert send_alone(serve(script), message(), "ann@example.com") == Sent()
    ((_, raw),) = script.taken
    assert script.senders == [f"mail FROM:<no-reply@wayvault.example> SIZE={len(raw)}"]


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    step=st.sampled_from(("mail", "rcpt", "data", "end")),
    code=st.integers(400, 599),
    words=st.sampled_from(("no", "{enhanced} greylisted, try again in 300 seconds", "", "5.7.0 must issue STARTTLS")),
    lines=st.integers(1, 3),
)
def test_the_replys_first_digit_decides_whatever_its_words_and_lines(
    serve: Callable[[Script], str], step: str, code: int, words: str, lines: int
) -> None:
    said = words.format(enhanced=f"{code // 100}.2.0")
    reply = "\r\n".join([*(f"{code}-{said}" for _ in range(lines - 1)), f"{code} {said}"])
    script = Script(answers={step: reply})
    found = send_alone(serve(script), message(), "ann@example.com")
    assert isinstance(found, Refused if code >= 500 and not 530 <= code <= 538 else Deferred)
    assert len(script.heard) == 1


def test_an_international_domain_goes_over_the_wire_as_idna(serve: Callable[[Script], str]) -> None:
    script = Script()
    mail = message("ann@bücher.example")
    sent = send_alone(serve(script), mail, mail["To"].addresses[0].addr_spec)
    assert sent == Sent()
    ((recipient, raw),) = script.taken
    assert recipient.lower() == "rcpt to:<ann@xn--bcher-kva.example>"
    assert message_from_bytes(raw, policy=default_policy)["To"] == "ann@xn--bcher-kva.example"


_LINES = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=1200)


@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(_LINES, max_size=4).map("\n".join))
def test_any_text_arrives_whole_in_short_lines_of_seven_bits(serve: Callable[[Script], str], text: str) -> None:
    script = Script()
    assert send_alone(serve(script), message(text=text), "ann@example.com") == Sent()
    ((_, raw),) = script.taken
    assert max(raw) < 128
    assert all(line.endswith(b"\r\n") and len(line) <= 1000 for line in raw.splitlines(keepends=True))
    unstuffed = raw.replace(b"\r\n..", b"\r\n.")
    body = message_from_bytes(unstuffed, policy=default_policy).get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n")
