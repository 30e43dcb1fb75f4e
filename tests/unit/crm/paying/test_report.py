"""M4: the payment report pages, filters, sorts, and leaves as a file what it shows."""

from services.crm.core.ordering import Order
from services.crm.paying.payments.pending import PendingFilter, PendingSort
from tests.support.crm_paying import CrmHouse


def pending(crm: CrmHouse) -> list[str]:
    """Two payments that wait: the first one's card was shown."""
    return [crm.retrieved(), crm.authorized(key="another-form-0123456789")]


def test_the_report_filters_by_words_and_by_what_was_shown(crm: CrmHouse) -> None:
    shown, waiting = pending(crm)
    book = crm.deps.paying.book

    def ids(wanted: PendingFilter) -> list[str]:
        return [payment.id for payment in book.pending_page(crm.maya, wanted, 1).items]

    assert set(ids(PendingFilter())) == {shown, waiting}
    assert ids(PendingFilter(shown=True)) == [shown]
    assert ids(PendingFilter(shown=False)) == [waiting]
    assert set(ids(PendingFilter(text="hopper 1111"))) == {shown, waiting}
    assert ids(PendingFilter(text="hopper 100%")) == []
    for sort in PendingSort:
        assert set(ids(PendingFilter(order=Order(sort)))) == {shown, waiting}
    assert book.pending_page(crm.jonas, PendingFilter(), 1).total == 0


def test_the_page_keeps_its_state_in_the_address_and_the_file_follows_it(crm: CrmHouse) -> None:
    pending(crm)
    browser = crm.browser(crm.maya)
    page = browser.get("/payments?q=hopper&shown=no&sort=amount").text
    assert page.count("ACTION</a>") == 1
    assert "/payments/payments.csv?q=hopper&amp;shown=no&amp;sort=amount" in page
    lines = browser.get("/payments/payments.csv?q=hopper&shown=no").text.splitlines()
    assert len(lines) == 2
    assert "Grace Hopper" in lines[1]
    assert "ending in" in lines[1]
    assert "No payment matches" in browser.get("/payments?q=nobody").text
    assert "Nothing is waiting" in crm.browser(crm.jonas).get("/payments").text
    assert browser.get("/payments?page=7&sort=nonsense&shown=maybe").status_code == 200
