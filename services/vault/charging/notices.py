"""Gateways' messages (webhooks). They come in at the CRM, which can't check them, and are a bell: what they name is
asked about now instead of later. Losing one costs time only, since the poller asks anyway."""

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import PermissionDenied, Unavailable
from services.vault.charging.accounts import Accounts, account_of
from services.vault.charging.gateways.port import GatewayRefused, GatewayUnknown, NoticeRefused
from services.vault.charging.models import RefundRow
from services.vault.charging.records import named_charges, refunds_of
from services.vault.charging.refunds import RefundService
from services.vault.charging.rules import ChargeState, RefundState
from services.vault.charging.settling import Settling


class Notices:
    """Hears the bell. The same message again, or an older one after it, changes nothing."""

    def __init__(
        self, *, database: Database, clock: Clock, accounts: Accounts, settling: Settling, refunds: RefundService
    ) -> None:
        self._database = database
        self._clock = clock
        self._accounts = accounts
        self._settling = settling
        self._refunds = refunds

    def take(self, agency_id: str, body: bytes, signature: str) -> list[str]:
        """Asks the gateway about what a message names; returns the payments that may have news.

        Raises PermissionDenied when it is not the gateway's, Unavailable when the gateway can't be asked: then it sends
        the message again.
        """
        now = self._clock.now()
        with self._database.read() as session:
            account = account_of(session, agency_id)
        if account is None:
            raise PermissionDenied("This agency expects no messages of a gateway.")
        gateway = self._accounts.open(account)
        try:
            references = gateway.read_notice(body, signature, self._accounts.secrets(account).signing, now)
        except NoticeRefused as refused:
            raise PermissionDenied("This is no message of the agency's gateway.") from refused
        with self._database.read() as session:
            charges = named_charges(session, agency_id, references)
            refunds = [refund for charge in charges for refund in refunds_of(session, charge.id)]
        for charge in charges:
            # One whose call may be under way is that call's to settle.
            if charge.state == ChargeState.NEEDS_CLIENT:
                self._settling.settle(charge)
        try:
            for refund in refunds:
                self._look(refund)
        except (GatewayUnknown, GatewayRefused) as error:
            raise Unavailable("The gateway can't be asked right now.") from error
        return sorted({charge.payment_id for charge in charges})

    def _look(self, refund: RefundRow) -> None:
        if refund.state == RefundState.PENDING:
            self._refunds.ask(refund)
        elif refund.state == RefundState.SUCCEEDED:
            self._refunds.look_again(refund)
