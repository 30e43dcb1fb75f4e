"""What the CRM does on the portal's and the notifier's events, also when they come twice or late."""

from datetime import timedelta

import pytest

from chassis.errors import NotFound
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import DeliveryFailed, DeliverySent, PaymentAuthorized
from services.crm.core.ports.vault import Removal
from services.crm.paying.links.rules import LinkState
from services.crm.paying.payments.events import UnknownPayment
from services.crm.paying.payments.rules import PaymentState
from tests.support.crm_paying import ORIGIN, CrmHouse, signed_pdf


def test_an_authorization_makes_the_payment_pending_and_keeps_what_stays_for_ever(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    (payment,) = crm.deps.paying.book.pending(crm.maya)
    assert payment.id == payment_id
    assert payment.card_words == "Visa ending in 1111"
    assert payment.cardholder_name == "Grace Hopper"
    assert payment.billing.city == "Boston"
    assert crm.deps.paying.signs.of_all()[crm.maya.agent_id].pending == 1
    link = crm.deps.paying.links.of_payment(payment_id)
    assert link is not None
    assert link.state is LinkState.SUBMITTED


def test_the_same_authorization_twice_changes_nothing(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    message = crm.authorization(payment_id)
    crm.hear(message)
    crm.reveal(payment_id)
    crm.hear(message)
    assert crm.row(payment_id).state == PaymentState.RETRIEVED
    crm.clock.advance(timedelta(minutes=1))
    assert crm.deps.paying.removals.carry_out() == 0


@pytest.mark.parametrize("crossing", ["expired", "revoked"])
def test_an_authorization_wins_over_an_expiry_or_revocation_that_crossed_it(crm: CrmHouse, crossing: str) -> None:
    payment_id = crm.requested()
    link = crm.deps.paying.links.of_payment(payment_id)
    assert link is not None
    if crossing == "expired":
        crm.clock.advance(timedelta(days=8))
        crm.deps.paying.links.expire_due()
    else:
        crm.deps.paying.links.withdraw(crm.maya, link.id)
    crm.hear(crm.authorization(payment_id))
    assert crm.row(payment_id).state == PaymentState.AUTHORIZED


def test_a_second_card_before_the_first_was_shown_takes_its_place(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    crm.hear(crm.authorization(payment_id, token="card_second"))
    assert crm.row(payment_id).card_token == "card_second"
    assert crm.deps.paying.removals.carry_out() == 0


def test_a_card_for_a_closed_payment_is_destroyed(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    crm.deps.paying.closing.void(crm.maya, payment_id, reason="Changed.", fresh_link=False, origin=ORIGIN)
    crm.hear(crm.authorization(payment_id, token="card_late"))
    crm.deps.paying.removals.carry_out()
    assert ("card_late", Removal.VOIDED) in crm.vault.removals
    assert crm.row(payment_id).card_token != "card_late"


def test_an_authorization_of_an_unknown_payment_is_for_the_operator(crm: CrmHouse) -> None:
    message = crm.authorization(crm.requested())
    stranger = PaymentAuthorized()
    stranger.CopyFrom(message)
    stranger.context.payment_id = "pay_unknown"
    with pytest.raises(UnknownPayment):
        crm.hear(stranger)


def test_the_signed_document_is_kept_whichever_event_comes_first_and_once(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    signed = crm.signed(payment_id)
    crm.hear(signed)
    crm.hear(signed)
    crm.hear(crm.authorization(payment_id))
    (document,) = crm.deps.paying.book.documents([payment_id])
    assert document.signer_name == "Grace Hopper"
    assert crm.deps.paying.book.document_pdf(crm.maya, payment_id, document.id) == signed_pdf()
    with pytest.raises(NotFound):
        crm.deps.paying.book.document_pdf(crm.jonas, payment_id, document.id)


def test_a_code_mail_that_fails_is_told_until_a_later_one_leaves(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    reveals = crm.deps.paying.reveals
    reveals.send_card_code(crm.maya, payment_id, request_key="k1", supplier_ready=True, origin=ORIGIN)
    at = stamp(crm.clock.now())
    crm.hear(DeliveryFailed(kind="reveal_code", payment_id=payment_id, at=at, reason="Mailbox full."))
    assert reveals.latest_problem(payment_id) == "Mailbox full."
    crm.hear(DeliverySent(kind="reveal_code", payment_id=payment_id, at=at))
    assert reveals.latest_problem(payment_id) == ""


def test_deliveries_that_concern_no_payment_are_heard_without_harm(crm: CrmHouse) -> None:
    crm.hear(DeliverySent(kind="signed_copy", payment_id="pay_x", at=stamp(crm.clock.now())))
    crm.hear(DeliveryFailed(kind="payment_link", link_id="link_x", at=stamp(crm.clock.now()), reason="No."))
