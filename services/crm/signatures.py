"""What the street of payments asks of the street of signing, joined here: neither knows the other."""

from collections.abc import Callable

from services.crm.core.actor import Actor
from services.crm.paying.payments.service import Payment
from services.crm.paying.phone.terms import TITLE
from services.crm.signing.esign.rules import DocumentKind
from services.crm.signing.parts import Signing


class PhoneSignatures:
    """Implements the phone room's SignatureDesk."""

    def __init__(self, signing: Callable[[], Signing]) -> None:
        self._signing = signing

    def ask(self, actor: Actor, payment: Payment, text: str, request_key: str) -> str:
        request = self._signing().requests.ask_for(
            actor,
            payment.booking_id,
            payment.payer_client_id,
            kind=DocumentKind.CARD_AUTHORIZATION,
            title=TITLE,
            text=text,
            request_key=request_key,
        )
        return request.id

    def is_signed(self, request_id: str) -> bool:
        return self._signing().requests.is_signed(request_id)
