"""Pages about one payment that look alike, whether the client came by a link or has signed in."""

from flask import render_template

from services.portal.links.service import LinkStatus
from services.portal.payments.receipt import receipt_of
from services.portal.payments.rules import METHOD_WORDS, card_gone_at, is_over, timeline
from services.portal.payments.service import PaymentStatus


def status_page(payment: PaymentStatus, *, copy_url: str, receipt_url: str, signed_in: bool = False) -> str:
    """Where a payment stands, in words; the same page for those who came by a link and those who have signed in."""
    return render_template(
        "payments/status.html",
        payment=payment,
        state=payment.state.value,
        card_gone_at=card_gone_at(payment.facts),
        entries=timeline(payment.facts),
        methods=METHOD_WORDS,
        copy_url=copy_url,
        receipt_url=receipt_url,
        signed_in=signed_in,
        over=not signed_in and _says_no_more(payment),
    )


def _says_no_more(payment: PaymentStatus) -> bool:
    """Whether the page will tell nothing new: that of a void goes on to tell what became of the fresh link."""
    fresh = payment.replacement
    goes_on = payment.fresh_link_follows if fresh is None else fresh.status is LinkStatus.OPEN
    return is_over(payment.facts) and not goes_on


def receipt_page(payment: PaymentStatus, *, pdf_url: str, back: str) -> str:
    """The receipt, to be read and printed."""
    return render_template(
        "payments/receipt.html", receipt=receipt_of(payment), payment=payment, pdf_url=pdf_url, back=back
    )
