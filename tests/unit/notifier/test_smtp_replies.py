"""What a mail server's reply comes to, in words for the agent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.deliveries.rules import Deferred, Refused
from services.notifier.deliveries.smtp_replies import Step, outcome_of

_ENHANCED = st.tuples(st.sampled_from("245"), st.integers(0, 12), st.integers(0, 60)).map(
    lambda x: "{}.{}.{}".format(*x)
)


@pytest.mark.parametrize(
    ("step", "reply", "words"),
    [
        (Step.RECIPIENT, "550 5.1.1 <ann@example.com>: Recipient address rejected: User unknown", "has no mailbox"),
        (Step.RECIPIENT, "550-5.1.1 The email account that you tried to reach does not exist.", "has no mailbox"),
        (Step.RECIPIENT, "552 5.2.2 Mailbox full", "mailbox is full"),
        (Step.RECIPIENT, "452 4.2.2 The recipient's inbox is out of storage space", "mailbox is full"),
        (Step.MESSAGE, "552 5.2.2 over quota", "mailbox is full"),
        (Step.RECIPIENT, "552 over quota", "mailbox is full"),
        (Step.MESSAGE, "552 5.3.4 Message size exceeds fixed limit", "larger than"),
        (Step.SENDER, "552 too large", "larger than"),
        (Step.RECIPIENT, "556 5.1.10 Recipient address has null MX", "takes no mail, or does not exist"),
        (Step.RECIPIENT, "550 5.1.2 Domain not found", "takes no mail, or does not exist"),
        (Step.RECIPIENT, "551 5.1.6 User has moved", "has moved"),
        (Step.RECIPIENT, "550 5.2.1 account disabled", "switched off"),
        (Step.RECIPIENT, "553 5.1.3 bad syntax", "written like this"),
        (Step.MESSAGE, "550 5.7.1 Message rejected as spam", "rules keep this e-mail out"),
        (Step.RECIPIENT, "450 4.2.1 receiving mail too quickly", "try again later"),
        (Step.RECIPIENT, "451 4.7.1 Greylisting in action", "try again later"),
        (Step.RECIPIENT, "451 4.4.1 no answer from host", "can't be reached"),
        (Step.SENDER, "501 5.1.7 Bad sender address syntax", "this agency's address"),
        # No code of the reply's own class, and no code at all.
        (Step.RECIPIENT, "550 2.1.1 odd", "did not take this address"),
        (Step.RECIPIENT, "550 5.1.1.7 is listed", "did not take this address"),
        (Step.RECIPIENT, "550 no", "did not take this address"),
        (Step.RECIPIENT, "421 4.2.2 closing", "did not take this address"),
    ],
)
def test_the_agent_reads_what_happened(step: Step, reply: str, words: str) -> None:
    outcome = outcome_of(step, int(reply[:3]), reply[4:].encode())
    assert isinstance(outcome, Refused if reply[0] == "5" else Deferred)
    assert words in outcome.reason
    assert reply[:3] in outcome.reason


@given(
    step=st.sampled_from(Step), code=st.integers(-1, 999), enhanced=_ENHANCED | st.just(""), said=st.binary(max_size=80)
)
def test_any_reply_comes_to_words_without_any_of_the_servers_own(
    step: Step, code: int, enhanced: str, said: bytes
) -> None:
    outcome = outcome_of(step, code, f"{enhanced} secret-{code} ".lstrip().encode() + said)
    assert isinstance(outcome, Refused) is (500 <= code < 600 and not 530 <= code <= 538)
    assert isinstance(outcome, Refused | Deferred)
    assert "secret" not in outcome.reason
    assert outcome.reason.isascii()
    assert len(outcome.reason) < 200
