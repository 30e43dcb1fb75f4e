"""Mails about refunds that two people decide, and about those that failed (G2)."""

import pytest

from protos.wayvault.common.v1.common_pb2 import Money
from protos.wayvault.events.v1.events_pb2 import (
    Agent,
    PaymentRefundFailed,
    RefundApprovalDecided,
    RefundApprovalRequested,
)
from tests.integration.notifier.conftest import House
from tests.integration.notifier.test_clients_and_second_reveals import ADA, body, mails, tell
from tests.integration.notifier.test_deliveries import context

_BACK = Money(minor=500_00, currency="USD")


def test_every_admin_who_may_approve_is_led_to_the_request(house: House) -> None:
    event = RefundApprovalRequested(
        context=context(),
        amount=_BACK,
        reason="The cruise was cancelled",
        admins=[ADA, Agent(id="agt_3", name="Edda", email="e@h.example")],
        request_id="refundreq_1",
    )
    tell(house, event)
    tell(house, event)
    sent = mails(house)
    assert set(sent) == {"ada@harbour.example", "e@h.example"}
    assert len(house.transport.messages) == 2
    mail = sent["ada@harbour.example"]
    assert mail["Subject"] == "Maya Okafor asks for a refund of US$ 500.00"
    for part in ("plain", "html"):
        assert "/approvals/refunds/refundreq_1" in body(mail, part)
        assert "The cruise was cancelled" in body(mail, part)
        assert "Hello Ada Lindqvist" in body(mail, part)


@pytest.mark.parametrize("approved", [True, False])
def test_the_agent_learns_how_it_was_decided(house: House, approved: bool) -> None:
    event = RefundApprovalDecided(
        context=context(), amount=_BACK, reason="Cancelled", approved=approved, decided_by="Ada Lindqvist", word="Soon"
    )
    tell(house, event)
    mail = mails(house)["maya@harbour.example"]
    assert mail["Subject"] == f"{'Approved' if approved else 'Refused'}: refund of US$ 500.00 to Ann Lee"
    assert ("No money was given back" in body(mail)) is not approved
    assert "Ada Lindqvist" in body(mail)
    assert "Soon" in body(mail)
    assert "/payments/pay_1" in body(mail)


@pytest.mark.parametrize("left", [True, False])
def test_the_agent_learns_that_the_client_has_not_got_the_money(house: House, left: bool) -> None:
    event = PaymentRefundFailed(
        context=context(), amount=_BACK, reason="Cancelled", problem="The client's card has ended.", left_before=left
    )
    tell(house, event)
    (mail,) = mails(house).values()
    assert mail["To"] == "maya@harbour.example"
    assert "The refund of US$ 500.00 to " in str(mail["Subject"])
    assert "The client's card has ended." in body(mail)
    assert ("has come back since" in body(mail)) is left
    assert "/payments/pay_1" in body(mail)
