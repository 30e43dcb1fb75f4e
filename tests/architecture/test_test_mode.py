"""Whether money moves is said wherever a charge, a refund or a standing order is shown, by the one macro that has the
words; a page or mail that shows one and does not say it fails here."""

import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

# What reads a charge, a refund or a standing order.
_SHOWS = re.compile(
    r"\{[{%][^}]*(?:\bcharge\.(?:amount|state|reference|reason)|\brefund\.amount|\border\.(?:plan|request)|\.refunded\b)"
)
_SAYS = re.compile(r"\{\{[^}]*\b(?:mode_badge|mode_line|mode_words|test_badge|test_line)\(")
_INCLUDES = re.compile(r"""\{%\s*include\s+["']([a-z_]+/[a-z_]+\.html)["']""")
_MAILS = ROOT / "services" / "notifier" / "templates" / "mails"
# Mails about money that a gateway moves, by what they are called or read.
_MAIL_SHOWS = re.compile(r"\bm\.(?:refund|plan)\b|\b(?:charged|charge)\b", re.IGNORECASE)
_NO_MAIL = {
    "payment_link": "a link is no charge yet: what becomes of the card is not known",
    "link_sent": "as payment_link",
    "payment_alert": "an authorization: nothing is charged yet",
    "signed_copy": "what the client signed; nothing is charged yet",
    "void_notice": "nothing was charged",
    "insurance_copy": "the plan of an insurer, to which nothing is paid here",
    "insurance_decided": "as insurance_copy",
    "insurance_offer": "as insurance_copy",
    "visit": "papers to sign",
    "cvv_link": "a CVV given once more; the supplier charges",
    "cvv_resupplied": "as cvv_link",
    "cvv_request": "as cvv_link",
    "card_lapsed": "nothing was charged",
    "card_lapsing": "nothing was charged",
}


def _templates(service: str) -> dict[str, Path]:
    """By the name that others include them by."""
    folder = ROOT / "services" / service
    return {"/".join(path.parts[-2:]): path for path in folder.rglob("templates/*/*.html")}


def _says(name: str, known: dict[str, Path]) -> bool:
    text = known[name].read_text("utf-8")
    return bool(_SAYS.search(text)) or any(_says(each, known) for each in _INCLUDES.findall(text) if each in known)


@pytest.mark.parametrize("service", ["crm", "portal"])
def test_a_page_that_shows_a_charge_says_whether_money_moves(service: str) -> None:
    known = _templates(service)
    shown = {name for name, path in known.items() if _SHOWS.search(path.read_text("utf-8"))}
    assert len(shown) >= {"crm": 10, "portal": 4}[service]
    assert {name for name in shown if not _says(name, known)} == set()


def test_a_mail_about_a_charge_says_when_no_money_moves() -> None:
    wrong, right = [], set()
    for path in sorted(_MAILS.glob("*.html")):
        texts = path.read_text("utf-8"), path.with_suffix(".txt")
        if not texts[1].exists() or path.stem in _NO_MAIL or not _MAIL_SHOWS.search(texts[0]):
            continue
        says = "m.get('test_mode'" in texts[0], 'include "facts.txt"' in texts[1].read_text("utf-8")
        if says == (True, True):
            right.add(path.stem)
        else:
            wrong.append(path.stem)
    assert wrong == []
    assert {"payment_processed", "payment_refunded", "refund_decided", "standing_order"} <= right
