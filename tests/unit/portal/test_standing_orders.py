"""A client's standing orders in the portal (G3): the plan, cancelling, another card."""

import html
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import StandingOrderAsked, StandingOrderTold
from tests.support.portal import PortalWorld, context
from tests.support.portal_people import ALAN, GRACE, signed_in

N = StandingOrderTold.News
PATH = "/payments/standing-orders/order_1"
PLAN = "US$ 50.00 every month, first on Sun 31 Jan 2027, 12 times in all"


def told(world: PortalWorld, news: "N.ValueType" = N.NEWS_CHARGED, *, state: str = "active", **changes: object) -> None:
    event = StandingOrderTold(
        order_id="order_1",
        context=context("", payer=GRACE),
        news=news,
        state=state,
        next_on="2027-02-28",
        made=1,
        card_brand="visa",
        card_last4="4242",
        can_change_card=True,
        at=stamp(world.clock.now()),
    )
    event.context.plan = PLAN
    for name, value in changes.items():
        setattr(event, name, value)
    world.tell(event)


@pytest.fixture
def grace(world: PortalWorld) -> FlaskClient:
    told(world)
    return signed_in(world)


def page(browser: FlaskClient) -> str:
    return html.unescape(browser.get(PATH).text)


def asked(world: PortalWorld) -> list[StandingOrderAsked]:
    return [message for message in world.published() if isinstance(message, StandingOrderAsked)]


def test_a_client_reads_the_plan_the_next_charge_and_the_card(grace: FlaskClient) -> None:
    shown = page(grace)
    assert PLAN in shown
    assert "28 Feb 2027" in shown
    assert "Visa ending in 4242, kept by the payment gateway" in shown
    assert PATH in grace.get("/payments").text


def test_a_client_cancels_once_and_reads_that_it_is_being_done(world: PortalWorld, grace: FlaskClient) -> None:
    for _ in range(2):
        assert grace.post(f"{PATH}/cancel").status_code == 303
    (wish,) = asked(world)
    assert (wish.order_id, wish.client_id, wish.wish) == ("order_1", GRACE.id, StandingOrderAsked.WISH_CANCEL)
    assert "Being cancelled" in page(grace)

    world.clock.advance(timedelta(minutes=1))
    told(world, N.NEWS_CANCELLED, state="cancelled", next_on="")
    assert "Cancelled" in page(grace)
    assert "Cancel standing order" not in page(grace)


def test_another_card_is_asked_for_once_until_the_link_was_sent(world: PortalWorld, grace: FlaskClient) -> None:
    for _ in range(2):
        grace.post(f"{PATH}/card")
    assert [wish.wish for wish in asked(world)] == [StandingOrderAsked.WISH_OTHER_CARD]
    assert "Use another card" not in page(grace)
    world.clock.advance(timedelta(minutes=1))
    told(world)
    assert "Use another card" not in page(grace)
    told(world, N.NEWS_CARD_ASKED, can_change_card=False)
    told(world, N.NEWS_CHARGED)
    assert "Use another card" in page(grace)


def test_another_card_is_offered_when_the_vault_can_keep_it_until_the_next_charge(
    world: PortalWorld, grace: FlaskClient
) -> None:
    told(world, other_card_from=(world.clock.now() + timedelta(days=3)).date().isoformat())
    assert "Use another card" not in page(grace)
    world.clock.advance(timedelta(days=4))
    again = signed_in(world)
    assert "Use another card" in page(again)


def test_an_older_word_that_comes_late_changes_nothing(world: PortalWorld, grace: FlaskClient) -> None:
    world.clock.advance(timedelta(hours=1))
    told(world, N.NEWS_PAUSED, state="paused")
    told(world, at=world.clock.now() - timedelta(minutes=5))
    assert "Paused" in page(signed_in(world))


@pytest.mark.parametrize("path", [PATH, f"{PATH}/cancel", f"{PATH}/card"])
def test_a_standing_order_is_its_clients_alone(world: PortalWorld, grace: FlaskClient, path: str) -> None:
    alan = signed_in(world, ALAN, username="alan")
    answer = alan.get(path) if path == PATH else alan.post(path)
    assert answer.status_code == 404
    assert asked(world) == []


@pytest.mark.parametrize("state", ["proposed", "paused", "card_needed", "completed"])
def test_every_state_has_its_words(world: PortalWorld, grace: FlaskClient, state: str) -> None:
    world.clock.advance(timedelta(minutes=1))
    told(world, state=state)
    assert grace.get(PATH).status_code == 200
    assert ("Cancel standing order" in page(grace)) == (state != "completed")
