"""Codes, the one reveal, the CVV (M5, M6)."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy.exc import OperationalError

from chassis.errors import (
    AlreadyRevealed,
    CardGone,
    CodeWrong,
    CvvGone,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from protos.wayvault.events.v1.events_pb2 import MailSealed, PaymentRetrieved
from services.crm.core.ports.vault import CardState, CvvState
from services.crm.paying.payments.rules import PaymentState
from services.crm.paying.reveal import service as reveal_service
from services.crm.paying.reveal.service import CodeSent, CvvLinkSent, Reveals
from tests.support.crm_paying import ORIGIN, CrmHouse


def code(crm: CrmHouse, payment_id: str, key: str = "k1") -> CodeSent:
    return crm.deps.paying.reveals.send_card_code(
        crm.maya, payment_id, request_key=key, supplier_ready=True, origin=ORIGIN
    )


def together(count: int, act: Callable[[], object]) -> list[object]:
    start = threading.Barrier(count)
    results: list[object] = []

    def run() -> None:
        start.wait()
        try:
            results.append(act())
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_without_the_supplier_no_code_is_sent(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    with pytest.raises(InvalidArgument, match="supplier is on the line"):
        crm.deps.paying.reveals.send_card_code(
            crm.maya, payment_id, request_key="k", supplier_ready=False, origin=ORIGIN
        )
    assert crm.vault.challenges == {}


def test_the_vaults_letter_goes_to_the_notifier_unopened(crm: CrmHouse) -> None:
    sent = code(crm, crm.authorized())
    (mail,) = crm.events(MailSealed)
    assert mail.sealed_mail == f"code:{sent.challenge_id}"
    assert crm.vault.purposes == ["Supplier ready: Aurora Cruises, US$ 1,240.00"]


def test_a_double_click_sends_one_code(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    results = together(6, lambda: code(crm, payment_id))
    assert len({sent.challenge_id for sent in results if isinstance(sent, CodeSent)}) == 1
    assert len(crm.events(MailSealed)) == 1


def test_resending_makes_another_code(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    assert code(crm, payment_id, "k1").challenge_id != code(crm, payment_id, "k2").challenge_id
    assert len(crm.events(MailSealed)) == 2


def test_a_reveal_is_recorded_and_told_once_although_it_is_fetched_twice(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    sent = code(crm, payment_id)
    reveals, sealed = crm.deps.paying.reveals, f"{sent.challenge_id}:sealed"
    first = reveals.reveal(crm.maya, payment_id, sealed_request=sealed, origin=ORIGIN)
    again = reveals.reveal(crm.maya, payment_id, sealed_request=sealed, origin=ORIGIN)
    assert first.sealed_answer == again.sealed_answer
    (event,) = crm.events(PaymentRetrieved)
    assert event.agent_name == "Maya Okafor"
    assert crm.row(payment_id).state == PaymentState.RETRIEVED


def test_another_key_is_refused_and_nothing_changes(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    sent, other = code(crm, payment_id), code(crm, payment_id, "k2")
    reveals = crm.deps.paying.reveals
    reveals.reveal(crm.maya, payment_id, sealed_request=f"{sent.challenge_id}:a", origin=ORIGIN)
    with pytest.raises(AlreadyRevealed):
        reveals.reveal(crm.maya, payment_id, sealed_request=f"{other.challenge_id}:b", origin=ORIGIN)
    with pytest.raises(AlreadyRevealed):
        code(crm, payment_id, "k3")
    assert len(crm.events(PaymentRetrieved)) == 1


def test_a_wrong_code_comes_back_with_the_tries_left(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    sent = code(crm, payment_id)
    crm.vault.refuse = CodeWrong(attempts_left=3)
    with pytest.raises(CodeWrong) as refusal:
        crm.deps.paying.reveals.reveal(crm.maya, payment_id, sealed_request=f"{sent.challenge_id}:x", origin=ORIGIN)
    assert refusal.value.attempts_left == 3
    assert crm.row(payment_id).state == PaymentState.AUTHORIZED


def test_with_the_vault_down_nothing_is_used_up(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    crm.vault.down = Unavailable()
    with pytest.raises(Unavailable, match="Nothing was used up"):
        code(crm, payment_id)
    crm.vault.down = None
    assert crm.events(MailSealed) == []
    assert code(crm, payment_id).address_hint


def test_an_answer_is_given_even_when_it_can_not_be_recorded_and_the_record_is_found_again(
    crm: CrmHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment_id = crm.authorized()
    sent = code(crm, payment_id)

    def broken(*_: object) -> None:
        raise OperationalError("commit", {}, Exception("disk full"))

    with monkeypatch.context() as fault:
        fault.setattr(Reveals, "_record_retrieved", broken)
        answer = crm.deps.paying.reveals.reveal(
            crm.maya, payment_id, sealed_request=f"{sent.challenge_id}:s", origin=ORIGIN
        )
    assert answer.sealed_answer
    assert crm.row(payment_id).state == PaymentState.AUTHORIZED
    assert crm.deps.paying.reveals.settle() == 1
    assert crm.row(payment_id).state == PaymentState.RETRIEVED
    assert len(crm.events(PaymentRetrieved)) == 1


def test_a_lost_reveal_is_found_behind_others_that_the_vault_has_no_news_of(
    crm: CrmHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reveal_service, "_AT_ONCE", 1)
    payments = sorted(crm.authorized(f"form-{number}-0123456789") for number in range(3))
    codes = [code(crm, payment_id) for payment_id in payments]
    with monkeypatch.context() as fault:
        fault.setattr(Reveals, "_record_retrieved", lambda *_: None)
        crm.deps.paying.reveals.reveal(
            crm.maya, payments[-1], sealed_request=f"{codes[-1].challenge_id}:s", origin=ORIGIN
        )

    assert crm.deps.paying.reveals.settle() == 1
    assert crm.row(payments[-1]).state == PaymentState.RETRIEVED


def test_foreign_payments_do_not_exist_and_an_admin_never_gets_a_card(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    reveals = crm.deps.paying.reveals
    for actor, refusal in ((crm.jonas, NotFound), (crm.ada, PermissionDenied)):
        with pytest.raises(refusal):
            reveals.send_card_code(actor, payment_id, request_key="k", supplier_ready=True, origin=ORIGIN)
        with pytest.raises(refusal):
            reveals.reveal(actor, payment_id, sealed_request="x", origin=ORIGIN)
        with pytest.raises(refusal):
            reveals.send_cvv_code(actor, payment_id, request_key="k", origin=ORIGIN)
        with pytest.raises(refusal):
            reveals.confirm_cvv(actor, payment_id, challenge_id="c", sealed_request="x", origin=ORIGIN)
    assert crm.vault.challenges == {}


def test_before_the_client_has_authorized_there_is_no_card(crm: CrmHouse) -> None:
    with pytest.raises(InvalidArgument, match="not authorized"):
        code(crm, crm.requested())


def test_the_cvv_comes_after_the_card(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    with pytest.raises(InvalidArgument, match="Retrieve the card first"):
        crm.deps.paying.reveals.send_cvv_code(crm.maya, payment_id, request_key="c1", origin=ORIGIN)


def test_the_cvv_link_is_mailed_once_for_one_code_however_often_it_is_relayed(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    reveals = crm.deps.paying.reveals
    sent = reveals.send_cvv_code(crm.maya, payment_id, request_key="c1", origin=ORIGIN)

    def confirm() -> CvvLinkSent:
        return reveals.confirm_cvv(
            crm.maya,
            payment_id,
            challenge_id=sent.challenge_id,
            sealed_request=f"{sent.challenge_id}:s",
            origin=ORIGIN,
        )

    assert confirm() == confirm()
    assert [mail.sealed_mail for mail in crm.events(MailSealed)][2:] == [f"cvv-link:{crm.row(payment_id).card_token}"]


def test_a_code_of_another_payment_confirms_nothing(crm: CrmHouse) -> None:
    first, second = crm.retrieved("form-1-0123456789"), crm.retrieved("form-2-0123456789")
    reveals = crm.deps.paying.reveals
    sent = reveals.send_cvv_code(crm.maya, first, request_key="c1", origin=ORIGIN)
    with pytest.raises(NotFound):
        reveals.confirm_cvv(
            crm.maya, second, challenge_id=sent.challenge_id, sealed_request=f"{sent.challenge_id}:s", origin=ORIGIN
        )


def test_a_shown_cvv_is_recorded_and_can_not_be_asked_for_again(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    reveals = crm.deps.paying.reveals
    shown = reveals.show_cvv(crm.maya, sealed_request=f"{crm.row(payment_id).card_token}:s", origin=ORIGIN)
    assert shown.payment is not None
    assert shown.payment.id == payment_id
    assert crm.row(payment_id).cvv_shown_at == shown.at
    with pytest.raises(CvvGone):
        reveals.send_cvv_code(crm.maya, payment_id, request_key="c2", origin=ORIGIN)


def test_the_vault_has_the_last_word_on_a_cvv(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    crm.vault.cards[crm.row(payment_id).card_token or ""].cvv_state = CvvState.PURGED
    with pytest.raises(CvvGone):
        crm.deps.paying.reveals.send_cvv_code(crm.maya, payment_id, request_key="c1", origin=ORIGIN)


def test_a_removed_card_sends_no_code(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    crm.deps.paying.removals.by_hand(crm.maya, payment_id, typed="REMOVE", origin=ORIGIN)
    with pytest.raises(CardGone):
        code(crm, payment_id)


def test_looking_at_the_card_records_what_the_crm_missed(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    card = crm.vault.cards[crm.row(payment_id).card_token or ""]
    card.state, card.revealed_at, card.cvv_shown_at = CardState.REVEALED, crm.clock.now(), crm.clock.now()
    crm.deps.paying.reveals.describe(crm.deps.paying.book.get(crm.maya, payment_id))
    row = crm.row(payment_id)
    assert (row.state, row.cvv_shown_at) == (PaymentState.RETRIEVED, crm.clock.now())
