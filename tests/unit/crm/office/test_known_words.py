"""Words that people bring along from other programs (C21)."""

import pytest

from services.crm.core.known_words import KNOWN_WORDS, KnownWord
from services.crm.office.finding.rules import ACTIONS, matching
from services.crm.office.training.rules import search
from services.crm.office.training.service import Guides
from tests.support.crm_site import CrmSite, text_of

_ON_THE_DASHBOARD = (
    "Client Payment", "View All Clients", "Merge Client", "Auto-Reminder Setup", "eSignatures", "CRM Support Tickets",
)  # fmt: skip


@pytest.mark.parametrize("known", KNOWN_WORDS, ids=lambda known: known.word)
def test_the_search_finds_each_by_its_word_and_by_ours(known: KnownWord) -> None:
    actions = [action for action in ACTIONS if action.endpoint == known.endpoint]
    assert actions, f"nothing leads to {known.endpoint}"
    assert known.endpoint in {action.endpoint for action in matching(known.word, is_admin=False)}


@pytest.mark.parametrize("word", ["Auto-Reminder Setup", "Merge Client", "Book Trip"])
def test_the_training_finds_a_guide_by_it(word: str) -> None:
    assert search(Guides().all(), word)


def test_the_dashboard_has_them_and_each_leads_to_a_page(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    page = text_of(browser.get("/"))
    for word in _ON_THE_DASHBOARD:
        assert word in page
    listed = text_of(browser.get("/training/words"))
    for known in KNOWN_WORDS:
        assert known.word in listed
        with site.app.test_request_context():
            address = site.app.url_for(known.endpoint)
        assert browser.get(address).status_code == 200


def test_merging_begins_without_a_client(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    assert "Two profiles of one person?" in text_of(browser.get("/clients/merge"))
    assert "Nobody matches" in text_of(browser.get("/clients/merge?q=zzzzz"))
