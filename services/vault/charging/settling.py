"""Finding out what became of charges and refunds whose answer was lost; the gateway's books decide, nothing is repeated
blindly."""

import structlog

from chassis.clock import Clock
from chassis.db import Database
from services.vault.charging.accounts import Accounts, account_of, is_of
from services.vault.charging.entries import charge_entries
from services.vault.charging.gateways.port import GatewayRefused, GatewayUnknown, Outcome
from services.vault.charging.models import ChargeRow
from services.vault.charging.records import due_charges, due_refunds, postpone, settle_charge
from services.vault.charging.refunds import RefundService
from services.vault.charging.rules import ChargeState, RefundState
from services.vault.charging.service import order_of
from services.vault.refusals import Recorder

log = structlog.get_logger("vault.charging")

# Rows of one round; the next round takes the rest.
_AT_ONCE = 50


class Settling:
    """The poller. Several may run: each change is a conditional UPDATE, each question harmless twice."""

    def __init__(
        self, *, database: Database, clock: Clock, trail: Recorder, accounts: Accounts, refunds: RefundService
    ) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail
        self._accounts = accounts
        self._refunds = refunds

    def run(self) -> int:
        """Asks about what is due; says how much was settled. Raises TransitUnavailable."""
        with self._database.read() as session:
            charges = due_charges(session, self._clock.now(), _AT_ONCE)
            refunds = due_refunds(session, self._clock.now(), _AT_ONCE)
        for refund in refunds:
            if refund.state == RefundState.SUCCEEDED:
                self._refunds.look_by_the_clock(refund)
            else:
                self._refunds.ask(refund)
        return sum(self.settle(row) for row in charges)

    def settle(self, row: ChargeRow) -> bool:
        """Asks about one charge; returns whether it is settled now."""
        outcome = self._found_out(row)
        with self._database.transaction() as session:
            if outcome is None or outcome.state in (ChargeState.ASKING, row.state):
                postpone(session, row, self._clock.now())
                return False
            still = ChargeState.INTENT if row.state == ChargeState.INTENT else None
            if not settle_charge(session, row.id, outcome, self._clock.now(), still=still):
                return False
            for entry in charge_entries(row, outcome):
                self._trail.record(session, entry)
            return True

    def _found_out(self, row: ChargeRow) -> Outcome | None:
        if row.state == ChargeState.INTENT:
            # Its process ended before a card left the vault.
            return Outcome(state=ChargeState.FAILED, reference="", code="never_arrived")
        with self._database.read() as session:
            account = account_of(session, row.agency_id)
        if account is None or not is_of(row, account):
            return None  # what another account says of it would be wrong
        waits = row.state == ChargeState.NEEDS_CLIENT
        try:
            return self._accounts.open(account).find_out(order_of(row), row.reference, waits_for_client=waits)
        except (GatewayUnknown, GatewayRefused) as fault:
            log.warning("charge.still_unknown", charge=row.id, cause=type(fault).__name__)
            return None
