"""What client and agent read of a standing order (G3)."""

import pytest

from protos.wayvault.events.v1.events_pb2 import PaymentAuthorized, PaymentProcessed, StandingOrderTold
from tests.integration.notifier.conftest import House
from tests.integration.notifier.test_deliveries import context, events, link_issued

N = StandingOrderTold.News
CLIENT, AGENT = "ann@example.com", "maya@harbour.example"
PLAN = "US$ 50.00 every month, first on Sun 31 Jan 2027, 12 times in all"


def told(news: "N.ValueType") -> StandingOrderTold:
    event = StandingOrderTold(
        order_id="order_1", context=context(), news=news, state="active", next_on="2027-02-28", made=1
    )
    event.context.plan = PLAN
    event.card_brand, event.card_last4, event.note = "visa", "4242", "The card was reported lost."
    return event


def mails(house: House, event: StandingOrderTold) -> dict[str, tuple[str, str]]:
    reaction = house.handlers.reaction("standing_order.told")
    assert reaction is not None
    with house.database.transaction() as session:
        reaction.handle(session, event, house.meta(event_type="standing_order.told"))
    house.send_all()
    return {
        to: (str(message["Subject"]), message.get_body(("plain",)).get_content())  # type: ignore[union-attr]
        for to, message in house.transport.messages
    }


@pytest.mark.parametrize(
    ("news", "readers"),
    [
        (N.NEWS_PROPOSED, set()),
        (N.NEWS_BEGUN, {AGENT}),
        (N.NEWS_AHEAD, {CLIENT, AGENT}),
        (N.NEWS_CHARGED, {AGENT}),
        (N.NEWS_FAILED, {CLIENT, AGENT}),
        (N.NEWS_CARD_NEEDED, {AGENT}),
        (N.NEWS_CARD_ASKED, set()),
        (N.NEWS_CARD_GIVEN, {AGENT}),
        (N.NEWS_PAUSED, {CLIENT, AGENT}),
        (N.NEWS_RESUMED, {CLIENT, AGENT}),
        (N.NEWS_CANCELLED, {CLIENT, AGENT}),
        (N.NEWS_COMPLETED, {CLIENT, AGENT}),
    ],
)
def test_who_is_told_what(house: House, news: "N.ValueType", readers: set[str]) -> None:
    sent = mails(house, told(news))
    assert set(sent) == readers
    for subject, text in sent.values():
        assert PLAN in text
        assert "{" not in subject + text
    if CLIENT in sent:
        assert "lost" not in sent[CLIENT][1]  # why a bank declines is for the agent


def test_the_day_of_the_next_charge_is_told(house: House) -> None:
    sent = mails(house, told(N.NEWS_AHEAD))
    assert "28 Feb 2027" in sent[CLIENT][0]
    assert "4242" in sent[CLIENT][1]
    assert "/standing-orders/order_1" in sent[AGENT][1]


def test_the_link_the_receipt_and_the_alert_know_what_a_standing_order_is(house: House) -> None:
    link = link_issued(house)
    link.context.plan = PLAN
    done = PaymentProcessed(payment_id="pay_1", context=context(), confirmation_number="pi_1")
    done.context.plan = PLAN
    authorized = PaymentAuthorized(context=done.context)
    with house.database.transaction() as session:
        events(house).payment_link_issued(session, link, house.meta("evt-1"))
        events(house).payment_processed(session, done, house.meta("evt-2"))
        events(house).payment_authorized(session, authorized, house.meta("evt-3"))
    house.send_all()

    texts = [
        (to, message.get_body(("plain",)).get_content())  # type: ignore[union-attr]
        for to, message in house.transport.messages
    ]
    assert sum(to == AGENT and "Call the supplier" in text for to, text in texts) == 0
    client = [text for to, text in texts if to == CLIENT]
    assert any("asks you to authorize a standing order" in text and "see it once" not in text for text in client)
    assert any("by your standing order" in text and "for this payment only" not in text for text in client)
