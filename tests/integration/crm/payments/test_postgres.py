"""The payment rooms' promises under real concurrency, on PostgreSQL."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from protos.wayvault.events.v1.events_pb2 import (
    MailSealed,
    PaymentCardRemoved,
    PaymentLinkIssued,
    PaymentProcessed,
    PaymentRetrieved,
    PaymentVoided,
)
from services.crm.paying.payments.rules import PaymentState
from tests.support.crm_paying import ORIGIN, CrmHouse

CLICKS = 6


@pytest.fixture
def crm(tmp_path: Path, postgres_url: str) -> Iterator[CrmHouse]:
    house = CrmHouse(tmp_path, database_url=postgres_url)
    yield house
    house.deps.core.database.dispose()


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Does all at the same moment; an exception counts as a result."""
    start = threading.Barrier(len(acts))
    results: list[object] = []

    def run(act: Callable[[], object]) -> None:
        start.wait()
        try:
            results.append(act())
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_form_sent_many_times_at_once_sends_one_link(crm: CrmHouse) -> None:
    paying = crm.deps.paying
    results = at_once(*[lambda: paying.links.send(crm.maya, crm.booking_id, crm.link_request())] * CLICKS)
    assert not [result for result in results if isinstance(result, Exception)]
    assert len(crm.events(PaymentLinkIssued)) == 1


def test_many_clicks_send_one_code_and_one_record_of_the_reveal(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    reveals = crm.deps.paying.reveals

    def click() -> object:
        return reveals.send_card_code(crm.maya, payment_id, request_key="k", supplier_ready=True, origin=ORIGIN)

    (sent, *others) = at_once(*[click] * CLICKS)
    assert all(other == sent for other in others)
    assert len(crm.events(MailSealed)) == 1
    sealed = f"{next(iter(crm.vault.card_of))}:sealed"
    at_once(*[lambda: reveals.reveal(crm.maya, payment_id, sealed_request=sealed, origin=ORIGIN)] * CLICKS)
    assert len(crm.events(PaymentRetrieved)) == 1


def test_processed_and_void_at_once_close_the_payment_one_way(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    closing = crm.deps.paying.closing
    at_once(
        lambda: closing.process(crm.maya, payment_id, confirmation="A", note="", origin=ORIGIN),
        lambda: closing.void(crm.maya, payment_id, reason="B", fresh_link=True, origin=ORIGIN),
    )
    assert len(crm.events(PaymentProcessed)) + len(crm.events(PaymentVoided)) == 1
    assert crm.row(payment_id).state in (PaymentState.PROCESSED, PaymentState.VOIDED)


def test_several_workers_tell_of_a_destroyed_card_once(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    crm.deps.paying.closing.process(crm.maya, payment_id, confirmation="A", note="", origin=ORIGIN)
    at_once(*[crm.deps.paying.removals.carry_out] * 4)
    assert len(crm.events(PaymentCardRemoved)) == 1
