"""Cards that gateways keep for standing orders: made by a charge (`service`), ended here."""

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import Unavailable
from chassis.rpc.calls import require_time
from protos.wayvault.common.v1.common_pb2 import Origin
from services.vault.charging.accounts import Accounts, account_of, is_of
from services.vault.charging.entries import mandate_entry
from services.vault.charging.gateways.port import GatewayRefused, GatewayUnknown
from services.vault.charging.models import GatewayAccountRow, MandateRow
from services.vault.charging.records import end_mandate, mandate_of
from services.vault.charging.rules import GATEWAY_PATIENCE
from services.vault.refusals import Act, Recorder, Refusals


class MandateService:
    """Ends mandates. Ending one again asks nobody."""

    def __init__(self, *, database: Database, clock: Clock, trail: Recorder, accounts: Accounts) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail
        self._accounts = accounts
        self._refusals = Refusals(database, trail)

    def end(self, agency_id: str, mandate_id: str, origin: Origin) -> None:
        """From here on nothing is charged by it, and the gateway forgets the card. Raises NotFound, Unavailable."""
        require_time(GATEWAY_PATIENCE + 1)
        act = Act(action="mandate.ended", refused_action="mandate.refused", origin=origin, resource=mandate_id)
        with self._refusals.audited(act):
            with self._database.read() as session:
                mandate = mandate_of(session, agency_id, mandate_id)
                account = account_of(session, agency_id)
            if mandate.ended_at is not None:
                return
            if account is not None and is_of(mandate, account):
                self._forget(account, mandate)
        with self._database.transaction() as session:
            if end_mandate(session, mandate.id, self._clock.now()):
                self._trail.record(session, mandate_entry(mandate))

    def _forget(self, account: GatewayAccountRow, mandate: MandateRow) -> None:
        try:
            self._accounts.open(account).end_mandate(mandate.reference)
        except (GatewayUnknown, GatewayRefused) as fault:
            raise Unavailable("The gateway can't be asked right now.") from fault
