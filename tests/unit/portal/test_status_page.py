"""What the client reads of their payment, whatever order and however often the facts arrive (M12)."""

import itertools
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import delete

from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import (
    PaymentCardRemoved,
    PaymentLapsed,
    PaymentLinkRevoked,
    PaymentProcessed,
    PaymentRetrieved,
    PaymentVoided,
)
from services.portal.payments.models import PaymentRow
from services.portal.payments.rules import PaymentState, state_of
from tests.support.portal import LINK, PAYMENT, PortalWorld, context

PAGE = f"/pay/{LINK}/status"


@pytest.fixture
def browser(world: PortalWorld) -> FlaskClient:
    world.issue()
    return world.submitted()


def facts(world: PortalWorld) -> list[Message]:
    """Everything that can be told of a payment, each at its own time."""
    now = world.clock.now()

    def at(minutes: int) -> Timestamp:
        return stamp(now + timedelta(minutes=minutes))

    return [
        PaymentRetrieved(payment_id=PAYMENT, agent_name="Maya Okafor", at=at(10)),
        PaymentProcessed(payment_id=PAYMENT, confirmation_number="AC-88213", at=at(20), context=context()),
        PaymentCardRemoved(payment_id=PAYMENT, at=at(21), reason="processed"),
    ]


def test_after_submitting_the_client_reads_that_all_is_in_and_how_long_the_card_is_kept(
    world: PortalWorld, browser: FlaskClient
) -> None:
    page = browser.get(PAGE).text
    for words in (
        "Your authorization is in",
        "Nobody has seen your card",
        "Mon 21 Dec 2026, 7:00\u00a0AM\u00a0EST",
        "Tue 24 Nov 2026, 7:00\u00a0AM\u00a0EST",
        "ending in",
        "1111",
        "Grace Hopper",
        "Download your signed copy",
    ):
        assert words in page, words


def test_a_cvv_that_is_not_kept_is_said_to_be_so(world: PortalWorld) -> None:
    world.intake.keeps_cvv = False
    world.issue()
    assert "security code was not stored" in world.submitted().get(PAGE).text


def test_the_client_reads_who_viewed_the_card_and_when_it_was_deleted(world: PortalWorld, browser: FlaskClient) -> None:
    retrieved, processed, removed = facts(world)
    world.tell(retrieved)
    page = browser.get(PAGE).text
    assert "Your card was viewed once by <strong>Maya Okafor</strong> at <strong>Sat 21 Nov 2026, 7:10\u00a0AM" in page
    world.tell(processed)
    world.tell(removed)
    page = browser.get(PAGE).text
    assert "Your payment is done" in page
    assert "AC-88213" in page
    assert "Your card was deleted at <strong>Sat 21 Nov 2026, 7:21\u00a0AM\u00a0EST" in page
    assert "Kept until" not in page


def test_facts_doubled_and_in_any_order_tell_the_same_story(world: PortalWorld, browser: FlaskClient) -> None:
    told = facts(world)
    stories = set()
    for order in itertools.permutations(told):
        with world.database.transaction() as session:
            for row in session.query(PaymentRow):
                row.retrieved_at = row.processed_at = row.card_removed_at = None
        for message in (*order, *reversed(order)):
            world.tell(message)
        found = world.deps.payments.status(PAYMENT)
        assert found is not None
        stories.add((found.facts, state_of(found.facts)))
    assert len(stories) == 1
    assert stories.pop()[1] is PaymentState.PROCESSED


def test_a_fact_that_comes_before_the_authorization_is_kept_for_it(world: PortalWorld) -> None:
    world.issue()
    for message in facts(world):
        world.tell(message)
    assert world.deps.payments.status(PAYMENT) is None
    page = world.submitted().get(PAGE).text
    assert "Your card was deleted" in page


def test_a_void_says_why_and_what_became_of_the_fresh_link(world: PortalWorld, browser: FlaskClient) -> None:
    world.tell(
        PaymentVoided(
            payment_id=PAYMENT,
            reason="the cabin category changed",
            at=stamp(world.clock.now()),
            fresh_link_follows=True,
        )
    )
    page = browser.get(PAGE).text
    assert "This payment was cancelled" in page
    assert "the cabin category changed" in page
    assert "A new link is on its way to grace@client.example" in page
    world.issue("lnk_new", token="n", about=context("pay_new"), replaces=PAYMENT)
    assert "There is a new request for you" in browser.get(PAGE).text
    world.tell(PaymentLinkRevoked(link_id="lnk_new", payment_id="pay_new"))
    assert "took it back" in browser.get(PAGE).text


def test_a_void_without_a_fresh_link_promises_none(world: PortalWorld, browser: FlaskClient) -> None:
    world.tell(PaymentVoided(payment_id=PAYMENT, reason="", at=stamp(world.clock.now())))
    page = browser.get(PAGE).text
    assert "This payment was cancelled" in page
    assert "new link" not in page


def test_a_lapsed_card_is_said_to_be_deleted_unused(world: PortalWorld, browser: FlaskClient) -> None:
    world.tell(PaymentLapsed(context=context(), at=stamp(world.clock.now() + timedelta(days=30))))
    page = browser.get(PAGE).text
    assert "Your card was deleted unused" in page
    assert "Nobody used your card in time" in page


def test_the_signed_copy_is_downloaded_as_an_attachment(world: PortalWorld, browser: FlaskClient) -> None:
    answer = browser.get(f"/pay/{LINK}/authorization.pdf")
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data.startswith(b"%PDF-")


def test_before_the_authorization_status_and_copy_lead_elsewhere(world: PortalWorld) -> None:
    world.issue()
    browser = world.opened()
    assert browser.get(PAGE).location == f"/pay/{LINK}/authorize"
    assert browser.get(f"/pay/{LINK}/authorization.pdf").status_code == 404


def test_a_revocation_or_resending_after_the_submission_changes_nothing_for_the_client(
    world: PortalWorld, browser: FlaskClient
) -> None:
    world.tell(PaymentLinkRevoked(link_id=LINK, payment_id=PAYMENT))
    world.issue(issue=2, token="second", about=context(purpose="Something else"))
    page = browser.get(PAGE).text
    assert "Your authorization is in" in page
    assert "Deposit for your balcony cabin" in page
    assert "Something else" not in page


def test_nothing_is_shown_of_a_payment_whose_row_is_gone(world: PortalWorld, browser: FlaskClient) -> None:
    with world.database.transaction() as session:
        session.execute(delete(PaymentRow))
    assert browser.get(PAGE).status_code == 303


def test_what_there_is_nothing_of_has_no_row(browser: FlaskClient) -> None:
    page = browser.get(PAGE).text
    assert "<dt>Given back</dt>" not in page
    assert "<dd>–</dd>" not in page
