"""Opening a link: only the button's click, with the letter's token, does anything."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from chassis.ids import token_sha256
from protos.wayvault.events.v1.events_pb2 import PaymentLinkOpened, PaymentLinkRevoked
from services.portal.models import Base
from tests.support.portal import LINK, PAYMENT, TOKEN, PortalWorld, context


def rows(world: PortalWorld) -> dict[str, int]:
    """How many rows each table has."""
    with world.database.read() as session:
        return {
            table.name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in Base.metadata.sorted_tables
        }


def test_a_hundred_gets_and_heads_change_nothing_and_the_link_still_opens(world: PortalWorld) -> None:
    world.issue()
    before = rows(world)
    scanner = world.client()
    for number in range(100):
        assert scanner.open(f"/pay/{LINK}", method="HEAD" if number % 2 else "GET").status_code == 200
    assert rows(world) == before
    assert world.published() == []
    assert world.opened().get(f"/pay/{LINK}/authorize").status_code == 200


def test_the_link_page_shows_who_asks_and_one_button(world: PortalWorld) -> None:
    world.issue()
    page = world.client().get(f"/pay/{LINK}").get_data(as_text=True)
    assert "Harbour &amp; Vine Travel" in page
    assert "Maya Okafor" in page
    assert page.count("<button") == 1
    assert "Open payment request" in page
    assert "1,240.00" not in page


def test_opening_is_told_once_and_leaves_evidence_each_time(world: PortalWorld) -> None:
    world.issue()
    world.opened()
    world.opened()
    (told,) = world.published()
    assert isinstance(told, PaymentLinkOpened)
    assert (told.link_id, told.payment_id) == (LINK, PAYMENT)
    assert [step.kind.value for step in world.deps.links.evidence(LINK)] == [
        "link_issued",
        "link_opened",
        "link_opened",
    ]


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], "\x00", "é" * 300])
def test_a_wrong_token_opens_nothing_and_says_what_to_do(world: PortalWorld, token: str) -> None:
    world.issue()
    browser = world.client()
    answer = browser.post(f"/pay/{LINK}/open", data={"token": token})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert "not complete" in page
    assert "+1 (212) 555 0142" in page
    assert browser.get(f"/pay/{LINK}/authorize").status_code == 303
    assert world.published() == []


def test_the_token_of_another_link_opens_nothing(world: PortalWorld) -> None:
    world.issue()
    world.issue("lnk_other", token="other-token", about=context("pay_other"))
    assert world.client().post(f"/pay/{LINK}/open", data={"token": "other-token"}).status_code == 403


def test_the_stored_hash_is_no_token(world: PortalWorld) -> None:
    world.issue()
    assert world.client().post(f"/pay/{LINK}/open", data={"token": token_sha256(TOKEN)}).status_code == 403


def test_opening_needs_a_csrf_token(world: PortalWorld) -> None:
    world.issue()
    assert world.strict_client().post(f"/pay/{LINK}/open", data={"token": TOKEN}).status_code == 400
    assert world.published() == []


def test_an_unknown_link_gets_a_kind_page(world: PortalWorld) -> None:
    for answer in (world.client().get("/pay/lnk_none"), world.client().post("/pay/lnk_none/open")):
        assert answer.status_code == 404
        assert (
            "We don&#39;t know this link" in answer.get_data(as_text=True) or "We don't know this link" in answer.text
        )


def test_an_expired_link_says_when_and_whom_to_ask(world: PortalWorld) -> None:
    world.issue(days=1)
    browser = world.opened()
    world.clock.advance(timedelta(days=2))
    for answer in (
        world.client().get(f"/pay/{LINK}"),
        world.client().post(f"/pay/{LINK}/open", data={"token": TOKEN}),
    ):
        assert answer.status_code == 410
        assert "has expired" in answer.text
        assert "maya@harbour.example" in answer.text
    assert browser.get(f"/pay/{LINK}/authorize").status_code == 303


def test_a_revoked_link_says_so_and_asks_for_nothing(world: PortalWorld) -> None:
    world.issue()
    browser = world.opened()
    world.tell(PaymentLinkRevoked(link_id=LINK, payment_id=PAYMENT))
    answer = world.client().post(f"/pay/{LINK}/open", data={"token": TOKEN})
    assert answer.status_code == 410
    assert "took this link back" in answer.text
    assert "+1 (212) 555 0142" in answer.text
    assert browser.get(f"/pay/{LINK}/authorize", follow_redirects=True).status_code == 410


def test_a_submitted_link_leads_to_the_payments_state(world: PortalWorld) -> None:
    world.issue()
    world.submitted()
    browser = world.client()
    assert "You have authorized this payment" in browser.get(f"/pay/{LINK}").text
    answer = browser.post(f"/pay/{LINK}/open", data={"token": TOKEN})
    assert answer.location == f"/pay/{LINK}/status"
    world.clock.advance(timedelta(days=400))
    assert world.opened().get(f"/pay/{LINK}/status").status_code == 200


def test_a_resent_link_opens_with_the_old_and_the_new_token(world: PortalWorld) -> None:
    world.issue()
    world.issue(token="second", issue=2, days=30)
    world.opened(token=TOKEN)
    world.opened(token="second")
    assert world.published_types() == ["PaymentLinkOpened"]


def test_pages_behind_the_button_lead_back_to_it(world: PortalWorld) -> None:
    world.issue()
    stranger = world.client()
    for page in ("authorize", "status", "authorization.pdf"):
        assert stranger.get(f"/pay/{LINK}/{page}").location == f"/pay/{LINK}"
    assert stranger.post(f"/pay/{LINK}/authorize", data={"line1": "x"}).location == f"/pay/{LINK}"
    assert world.intake.opened == []


def test_one_browser_may_work_on_two_links_and_a_third_ones_pages_stay_shut(world: PortalWorld) -> None:
    world.issue()
    world.issue("lnk_b", token="b", about=context("pay_b"))
    world.issue("lnk_c", token="c", about=context("pay_c"))
    browser = world.opened()
    browser.post("/pay/lnk_b/open", data={"token": "b"})
    assert browser.get(f"/pay/{LINK}/authorize").status_code == 200
    assert browser.get("/pay/lnk_b/authorize").status_code == 200
    assert browser.get("/pay/lnk_c/authorize").status_code == 303


def test_a_session_that_idled_out_leads_back_with_a_word_why(world: PortalWorld) -> None:
    world.issue()
    browser = world.opened()
    world.clock.advance(timedelta(minutes=61))
    answer = browser.get(f"/pay/{LINK}/authorize")
    assert answer.location == f"/pay/{LINK}"
