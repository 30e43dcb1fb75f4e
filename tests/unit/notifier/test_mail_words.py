"""What holds for the words of every e-mail, in each of its states: they read well as plain text, too."""

import re
from html import unescape
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from services.notifier.templates import service
from services.notifier.templates.rules import Mail, Rendered, Theme
from services.notifier.templates.service import render

_FOLDER: Final = Path(service.__file__).parent / "mails"
_URL: Final = "https://portal.example/pay/lnk_1#token"
# What a mail says differently with and without.
_STATES: Final = (
    "plan",
    "reminder",
    "accepted",
    "approved",
    "left_before",
    "closed",
    "card_again",
    "void_reason",
    "word",
)
_THEME: Final = Theme(name="Harbour & Vine Travel", phone="+1 305 555 0100", email="hello@harbour.example")
_PREVIEW: Final = re.compile(r'<div style="display:none;[^"]*">(.*?)</div>', re.DOTALL)


def _facts() -> dict[str, str]:
    """Every fact that any template names, by its own name."""
    named = re.findall(r"\bm\.(\w+)", "".join(file.read_text() for file in _FOLDER.iterdir() if file.is_file()))
    facts = {name: f"[{name}]" for name in named if name != "get"}
    return facts | {"url": _URL, "code": "1234 5678", "sentence": "[a sentence of its own]"}


def _rendered() -> list[tuple[str, Rendered]]:
    made, facts = [], _facts()
    for mail in Mail:
        source = "".join((_FOLDER / f"{mail}.{kind}").read_text() for kind in ("subject", "txt", "html"))
        told = [name for name in _STATES if re.search(rf"\bif [^%]*\bm\.{name}\b|get\(.{name}.\)", source)]
        for values in product(("", "[yes]."), repeat=len(told)):
            states = dict(zip(told, values, strict=True))
            made.append((f"{mail} {states}", render(mail, facts | states, _THEME)))
    return made


@pytest.fixture(scope="module")
def rendered() -> list[tuple[str, Rendered]]:
    return _rendered()


def test_an_address_touches_no_word(rendered: list[tuple[str, Rendered]]) -> None:
    for name, mail in rendered:
        for found in re.finditer(re.escape(_URL), mail.text):
            before, after = mail.text[: found.start()][-1:], mail.text[found.end() :][:1]
            assert (before, after) in {("\n", "\n"), (" ", "\n")}, f"{name}: {mail.text}"


def test_paragraphs_are_apart_and_begin_as_sentences_do(rendered: list[tuple[str, Rendered]]) -> None:
    for name, mail in rendered:
        assert "\n\n\n" not in mail.text, f"{name}: {mail.text}"
        paragraphs = mail.text.split("\n\n")
        for paragraph in paragraphs:
            assert re.match(r"[A-Z\[“ -]|https:", paragraph), f"{name}: {paragraph}"
        for line in mail.text.split("\n"):
            assert line == line.rstrip() or line == "-- ", f"{name}: {line!r}"
            assert ":." not in line, f"{name}: {line}"
            assert ": ." not in line, f"{name}: {line}"


def test_the_line_beside_the_subject_says_more_than_the_subject(rendered: list[tuple[str, Rendered]]) -> None:
    for name, mail in rendered:
        found = _PREVIEW.search(mail.html)
        assert found, name
        line = unescape(found[1]).strip()
        assert len(line) > 20, f"{name}: {line}"
        assert line.rstrip(".") != mail.subject.rstrip("."), f"{name}: {line}"


def test_every_mail_greets_agents_by_their_whole_name_and_clients_by_their_first(
    rendered: list[tuple[str, Rendered]],
) -> None:
    greeted = set[str]()
    for name, mail in rendered:
        for part in (mail.text, mail.html):
            found = re.findall(r"\bHello\b([^,]*),", part)
            greeted |= {f"{name.partition(' ')[0]}:{each.strip()}" for each in found}
            assert len(found) <= 1, name
            assert found == re.findall(r"\bHello\b([^,]*),", mail.text), name
    agents = {each.partition(":")[0] for each in greeted if each.endswith(":[agent_name]")}
    assert {Mail.SUPPORT_QUESTION, Mail.PAYMENT_ALERT, Mail.SIGN_IN_LOCKED, Mail.AGENT_INVITATION} <= agents
    # A reminder begins as the agency wrote it; a test of one shows what the client would get.
    assert set(Mail) - {each.partition(":")[0] for each in greeted} == {Mail.REMINDER, Mail.REMINDER_TEST}
    others = {each for each in greeted if not each.endswith((":[agent_name]", ":[client_first_name]"))}
    # A client whose name is not known yet, and one who may have no name but a username.
    assert others == {"quote_received:", "registration_link:", "portal_sign_in_locked:[first_name]"}


def test_a_greeting_is_said_in_one_place_and_read_from_older_mails_too() -> None:
    for file in (each for each in _FOLDER.iterdir() if each.is_file()):
        assert not re.search(r"Hello \{\{ m\.(?!client_first_name|first_name)", file.read_text()), file.name
    older = {name: value for name, value in _facts().items() if name != "agent_name"}
    made = render(Mail.SUPPORT_ANSWER, older | {"recipient_first_name": "<Maya>"}, _THEME)
    assert "Hello <Maya>,\n" in made.text
    assert "Hello &lt;Maya&gt;," in made.html
    # What a former version queued of a quote request names no agent.
    made = render(Mail.QUOTE_REQUEST, older, _THEME)
    assert made.text.startswith("Hello,\n\n[client_name] asks for a quote.")
    assert "Hello," in made.html


def test_a_phone_breaks_no_telephone_number_no_day_and_no_time_of_day() -> None:
    facts = _facts() | {"agent_phone": "+1 305 555 0123", "expires": "Thu 3 Dec 2026, 7:00 AM EST"}
    mail = render(Mail.PAYMENT_LINK, facts | {"plan": "", "void_reason": ""}, _THEME)
    for words in ("+1 305 555 0123", "+1 305 555 0100", "Thu 3 Dec 2026", "7:00 AM EST"):
        assert words in mail.text
        assert words.replace(" ", "\u00a0") in mail.html
        assert words not in mail.html


@pytest.mark.parametrize(
    ("mail", "reason"),
    [
        (Mail.REFUND_REQUESTED, "refund_reason"),
        (Mail.PAYMENT_REFUNDED, "refund_reason"),
        (Mail.REFUND_DECIDED, "word"),
        (Mail.SECOND_REVEAL_REQUESTED, "reason"),
        (Mail.SECOND_REVEAL_DECIDED, "word"),
        (Mail.APPROVE_CODE, "purpose"),
    ],
)
def test_what_a_person_gave_as_a_reason_ends_as_a_sentence_does(mail: Mail, reason: str) -> None:
    for typed, read in (("My browser closed ", "My browser closed."), ("Is it urgent?", "Is it urgent?")):
        made = render(mail, _facts() | {"approved": "", reason: typed}, _THEME)
        for part in (made.text, unescape(made.html)):
            assert read in part
            assert f"{read}." not in part


def test_a_mail_says_why_it_came_and_has_one_button_at_most(rendered: list[tuple[str, Rendered]]) -> None:
    for name, mail in rendered:
        assert mail.text.count("You get this because") == 1, name
        assert mail.html.count("You get this because") == 1, name
        assert mail.html.count("<a href=") <= 1, name
        # Whoever reads the one part or the other can do the same.
        assert (_URL in mail.text) == (_URL in mail.html), name
