"""The vault's trail in words: who, what, why (M12)."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.crm.core.ports.vault import AccessEntry, Origin
from services.crm.paying.reveal.history import _WORDS, HistoryLine, Names, history_lines

PEOPLE = Names(names={"agent_maya": "Maya Okafor", "agent_ada": "Ada Lindqvist"}, client="Grace Hopper")
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def line(action: str, *, actor: str = "agent_maya", reason: str = "", ok: bool = True) -> HistoryLine:
    entry = AccessEntry(at=NOW, action=action, ok=ok, actor=actor, reason=reason, origin=Origin(ip="203.0.113.7"))
    return history_lines([entry], PEOPLE)[0]


@pytest.mark.parametrize("action", ["card.stored", "cvv.stored", "intake.opened"])
def test_what_came_by_the_portal_the_client_did(action: str) -> None:
    """The vault names the owner agent with it: for whose eyes it is."""
    assert line(action).who == "Grace Hopper, in the portal"


def test_what_was_keyed_on_the_telephone_did_not_come_by_the_portal() -> None:
    """The masker stores a card as the portal does; what it calls itself is no device of the client's."""
    origin = Origin(ip="", user_agent="Wayvault masker")
    entries = [
        AccessEntry(at=NOW, action=action, ok=True, actor="agent_maya", reason="", origin=origin)
        for action in ("intake.opened", "card.stored", "cvv.stored")
    ]
    by_phone = Names(names={}, client="Grace Hopper", by_phone=True)
    assert [(each.who, each.where) for each in reversed(history_lines(entries, by_phone))] == [
        ("Grace Hopper, on the telephone", ""),
        ("Grace Hopper, on the telephone", ""),
        ("Grace Hopper, in the portal", "A browser"),
    ]


def test_a_code_for_the_cvv_says_so_and_shows_no_constant() -> None:
    shown = line("challenge.sent", reason="CVV_CODE")
    assert (shown.what, shown.why) == ("One-time code for the CVV e-mailed", "")


def test_a_second_reveal_reads_as_a_story() -> None:
    lines = [
        line("second_reveal.requested", reason="The page crashed"),
        line("approval.code_sent", actor="agent_ada", reason="The page crashed"),
        line("second_reveal.approved", actor="agent_ada", reason="The page crashed"),
        line("card.revealed_again", reason="Supplier ready: Aurora"),
        line("second_reveal.expired", actor="vault", reason="NOT_USED"),
        line("second_reveal.refused", reason="PERMISSION_DENIED", ok=False),
    ]
    assert [(one.what, one.who) for one in lines] == [
        ("Second reveal asked for", "Maya Okafor"),
        ("One-time code to approve e-mailed", "Ada Lindqvist"),
        ("Second reveal approved", "Ada Lindqvist"),
        ("Card shown a second time", "Maya Okafor"),
        ("Second reveal ended", "The vault itself"),
        ("Refused: second reveal", "Maya Okafor"),
    ]
    assert lines[4].why == "the approval was not used in time"
    assert "two different people" in lines[5].why


def test_no_reason_is_shown_as_a_constant() -> None:
    for reason in ("REPLACED", "RETENTION", "PROCESSED", "BY_HAND", "NOT_DECIDED", "CVV_CODE"):
        assert not re.search(r"[A-Z]{3,}", line("card.removed", reason=reason).why), reason


def test_every_action_that_the_vault_records_about_a_card_has_words() -> None:
    source = "\n".join(path.read_text() for path in Path("services/vault").rglob("*.py"))
    found = set(
        re.findall(
            r'"((?:card|cvv|challenge|code|reveal|second_reveal|approval|intake|access|removal)\.[a-z_]+)"', source
        )
    )
    # A look is recorded only when it is refused; the other is a host.
    asked = {"card.described", "card.localhost"}
    assert found - asked <= set(_WORDS), found - asked - set(_WORDS)


def test_a_gateways_code_is_told_in_words_and_never_shown() -> None:
    words = {"insufficient_funds": "There is not enough money on the card.", "pin": "PIN was wrong too often."}
    asked: list[int] = []

    def reasons() -> dict[str, str]:
        asked.append(1)
        return words

    def why(action: str, reason: str, *, ok: bool = True) -> str:
        entry = AccessEntry(at=NOW, action=action, ok=ok, actor="charging", reason=reason, origin=Origin(ip=""))
        return history_lines([entry], Names(names={}, client="", reasons=reasons))[0].why

    assert why("charge.declined", "insufficient_funds") == "there is not enough money on the card"
    assert why("charge.declined", "pin") == "PIN was wrong too often"
    assert why("refund.failed", "never_heard_of") == "the gateway gave a reason that has no words here"
    assert why("gateway_key.refused", "insufficient_funds", ok=False) == "there is not enough money on the card"
    assert len(asked) == 4
    # Nobody is asked where there is no code.
    assert why("charge.succeeded", "") == ""
    assert why("mandate.made", "not_kept") == "the gateway did not keep it"
    assert why("gateway_key.set", "stripe LIVE") == "Stripe, live"
    assert why("charge.refused", "PERMISSION_DENIED", ok=False) == "not this agent's card"
    assert len(asked) == 4
    assert line("charge.declined", actor="charging").who == "The vault itself"
