"""Each mail about a charge, a refund or a standing order says when no money moves (G3)."""

import pytest
from google.protobuf.message import Message

from protos.wayvault.common.v1.common_pb2 import Money
from protos.wayvault.events.v1.events_pb2 import (
    PaymentContext,
    PaymentProcessed,
    PaymentRefunded,
    PaymentRefundFailed,
    RefundApprovalDecided,
    RefundApprovalRequested,
    StandingOrderTold,
)
from tests.integration.notifier.conftest import House
from tests.integration.notifier.test_clients_and_second_reveals import ADA, body, tell
from tests.integration.notifier.test_deliveries import context

_BACK = Money(minor=500_00, currency="USD")
_QUIET = (StandingOrderTold.NEWS_UNSPECIFIED, StandingOrderTold.NEWS_PROPOSED, StandingOrderTold.NEWS_CARD_ASKED)


def about(test_mode: bool) -> PaymentContext:
    found = context()
    found.test_mode, found.plan = test_mode, "US$ 50.00 every month"
    return found


def events(told: PaymentContext) -> list[Message]:
    return [
        PaymentProcessed(payment_id="pay_1", context=told, confirmation_number="pi_1"),
        PaymentRefunded(context=told, amount=_BACK, refunded=_BACK, reason="Cancelled"),
        PaymentRefundFailed(context=told, amount=_BACK, reason="Cancelled", problem="The card has ended."),
        RefundApprovalRequested(context=told, amount=_BACK, reason="Cancelled", admins=[ADA], request_id="r_1"),
        RefundApprovalDecided(context=told, amount=_BACK, reason="Cancelled", approved=True, decided_by="Ada"),
        *(
            StandingOrderTold(order_id="order_1", context=told, news=news, state="active", next_on="2027-02-28")
            for news in StandingOrderTold.News.values()
            if news not in _QUIET
        ),
    ]


@pytest.mark.parametrize("test_mode", [True, False])
def test_each_mail_says_when_no_money_moves(house: House, test_mode: bool) -> None:
    for number, event in enumerate(events(about(test_mode))):
        house.transport.messages.clear()
        tell(house, event, f"evt-{number}")
        house.send_all()
        assert house.transport.messages, event
        for _, mail in house.transport.messages:
            for part in ("plain", "html"):
                assert ("No money moves: the gateway is in test mode" in body(mail, part)) is test_mode, mail["Subject"]
