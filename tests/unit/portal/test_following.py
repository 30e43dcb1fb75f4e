"""Pages of the portal follow what happens: whatever one shows is news of the ids that it names, a question for news
costs one query, and a page that has come to its end asks no more. How a browser does it: integration/portal."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from google.protobuf.message import Message
from sqlalchemy import Connection, event

from chassis.db import sharing_reads
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import (
    CvvRequested,
    PaymentCardRemoved,
    PaymentLapsed,
    PaymentLinkRevoked,
    PaymentProcessed,
    PaymentRefunded,
    PaymentRetrieved,
    PaymentReversed,
    PaymentVoided,
)
from services.portal.following import follow, following
from tests.support.portal import LINK, PAYMENT, PortalWorld, context

PAGE = f"/pay/{LINK}/status"
_PLACE = re.compile(r'<div id="wv-follow" hidden data-wv-live(?: data-news="([^"]+)" data-seen="([^"]+)")?>')


def _followed(browser: FlaskClient, page: str = PAGE) -> tuple[str, str]:
    """Where the page asks, and what it has seen."""
    found = _PLACE.search(browser.get(page).text)
    assert found, page
    return (found[1] or "").replace("&amp;", "&"), found[2] or ""


def _ask(browser: FlaskClient, followed: tuple[str, str]) -> int:
    address, seen = followed
    return browser.get(address, headers={"If-None-Match": f'"{seen}"'}).status_code


def _steps(world: PortalWorld) -> list[Message]:
    at = stamp(world.clock.now())
    back = PaymentRefunded(context=context(), at=at)
    back.refunded.minor, back.refunded.currency = 1000, "USD"
    return [
        PaymentRetrieved(payment_id=PAYMENT, agent_name="Maya Okafor", at=at),
        PaymentProcessed(payment_id=PAYMENT, confirmation_number="AC-88213", at=at, context=context()),
        PaymentCardRemoved(payment_id=PAYMENT, at=at, reason="processed"),
        back,
        PaymentReversed(context=context(), at=at),
    ]


@pytest.fixture
def browser(world: PortalWorld) -> FlaskClient:
    world.issue()
    return world.submitted()


def test_each_step_of_a_payment_is_news_to_its_page_and_to_no_other(world: PortalWorld, browser: FlaskClient) -> None:
    world.issue("lnk_other", token="other", about=context("pay_other"))
    other = _followed(world.opened("lnk_other", "other"), "/pay/lnk_other")
    for message in _steps(world):
        followed = _followed(browser)
        assert _ask(browser, followed) == 304, "nothing has happened"
        world.tell(message)
        assert _ask(browser, followed) == 200, type(message).__name__
    assert _ask(browser, other) == 304


def test_a_fact_told_twice_is_no_news(world: PortalWorld, browser: FlaskClient) -> None:
    told = _steps(world)[0]
    world.tell(told)
    followed = _followed(browser)
    world.tell(told)
    assert _ask(browser, followed) == 304


def test_the_fresh_link_after_a_void_is_news_and_then_the_page_asks_no_more(
    world: PortalWorld, browser: FlaskClient
) -> None:
    at = stamp(world.clock.now())
    world.tell(PaymentVoided(payment_id=PAYMENT, reason="", at=at, fresh_link_follows=True))
    world.tell(PaymentCardRemoved(payment_id=PAYMENT, at=at, reason="voided"))
    followed = _followed(browser)
    world.issue("lnk_new", token="n", about=context("pay_new"), replaces=PAYMENT)
    assert _ask(browser, followed) == 200
    followed = _followed(browser)
    world.tell(PaymentLinkRevoked(link_id="lnk_new", payment_id="pay_new"))
    assert _ask(browser, followed) == 200
    assert _followed(browser) == ("", "")


def test_a_payment_that_came_to_nothing_asks_no_more(world: PortalWorld, browser: FlaskClient) -> None:
    world.tell(PaymentLapsed(context=context(), at=stamp(world.clock.now() + timedelta(days=30))))
    assert _followed(browser) == ("", "")


def test_a_link_that_is_taken_back_is_news_to_its_open_form_which_says_so_above_it(world: PortalWorld) -> None:
    world.issue()
    form = world.opened()
    followed = _followed(form, f"/pay/{LINK}/authorize")
    slots = len(world.intake.opened)
    world.tell(PaymentLinkRevoked(link_id=LINK, payment_id=PAYMENT))
    assert _ask(form, followed) == 200
    answer = form.get(f"/pay/{LINK}/authorize", headers={"X-Wayvault-Passive": "1"}, follow_redirects=True)
    assert answer.status_code == 410
    assert '<section class="pt-narrow" id="pt-over" data-wv-live>' in answer.text
    assert len(world.intake.opened) == slots


def test_a_form_that_looks_at_itself_takes_no_slot_in_the_vault(world: PortalWorld) -> None:
    world.issue()
    form = world.opened()
    form.get(f"/pay/{LINK}/authorize")
    slots = len(world.intake.opened)
    assert form.get(f"/pay/{LINK}/authorize", headers={"X-Wayvault-Passive": "1"}).status_code == 200
    assert len(world.intake.opened) == slots


def test_a_newer_request_for_the_cvv_is_news_to_the_older_ones_page(world: PortalWorld) -> None:
    def ask(link_id: str) -> None:
        expires = stamp(world.clock.now() + timedelta(hours=1))
        world.tell(CvvRequested(link_id=link_id, context=context(), expires_at=expires, brand="visa", last4="1111"))

    ask("cvv_one")
    followed = _followed(world.client(), "/cvv/cvv_one")
    world.clock.advance(timedelta(minutes=1))
    ask("cvv_two")
    assert _ask(world.client(), followed) == 200


def test_a_submission_that_has_only_begun_is_no_news(world: PortalWorld) -> None:
    world.issue()
    followed = _followed(world.opened(), f"/pay/{LINK}/authorize")
    with world.deps.links.claimed(LINK):
        assert _ask(world.client(), followed) == 304


def test_what_is_followed_later_does_not_hide_news_of_what_was_followed_before(world: PortalWorld) -> None:
    world.issue()
    with world.wsgi.test_request_context(), sharing_reads():
        follow(LINK)
        world.tell(PaymentLinkRevoked(link_id=LINK, payment_id=PAYMENT))
        follow(LINK, PAYMENT)
        asked = following()
    assert _ask(world.client(), (asked["news"], asked["seen"])) == 200


@contextmanager
def _counted(world: PortalWorld) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_c: Connection, _u: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    engine = world.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_a_question_costs_one_query(world: PortalWorld, browser: FlaskClient) -> None:
    followed = _followed(browser)
    with _counted(world) as said:
        assert _ask(browser, followed) == 304
    assert len([each for each in said if each.lstrip().upper().startswith("SELECT")]) == 1, said


@pytest.mark.parametrize("address", ["x", "WyJjbHRfMSJd.aSmT3g.forged"])
def test_an_address_that_is_not_ours_is_no_page(world: PortalWorld, address: str) -> None:
    assert world.client().get(f"/news/{address}").status_code == 404
