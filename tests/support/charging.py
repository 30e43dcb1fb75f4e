"""The program `charging` for tests: real tables and services over a vault kit's database, the simulator as gateway."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from chassis.timestamps import stamp
from protos.wayvault.vault.v1 import charging_pb2 as pb
from services.vault.charging.accounts import openers
from services.vault.charging.bootstrap import Charging, join_rooms
from services.vault.charging.gateways.port import GatewaySettings
from services.vault.transit.service import ChargingTransit
from tests.support.gateway_notices import signed
from tests.support.gateway_sim import Book, running
from tests.support.vault_kit import AGENCY, AGENT, ORIGIN, PAYMENT, Kit, as_caller, key, make_kit

SIGNING = "whsec_abcdefghijklmnop"


@dataclass(slots=True, kw_only=True)
class ChargingKit:
    """Charging, the vault whose cards it charges, and the gateway's books."""

    kit: Kit
    charging: Charging
    book: Book

    def call(self, method: Any, request: Any, caller: str = "crm", seconds: float = 60.0) -> Any:
        with as_caller(caller, method.__name__, seconds):
            return method(request, None)

    def charge(self, token: str, payment: str = PAYMENT, **changes: Any) -> pb.ChargeAnswer:
        answer: pb.ChargeAnswer = self.call(self.charging.rpc.Charge, charge_request(token, payment, **changes))
        return answer

    def charge_mandate(self, mandate_id: str, payment: str, **changes: Any) -> pb.ChargeAnswer:
        fields = {"mandate_id": mandate_id, **changes}
        answer: pb.ChargeAnswer = self.call(self.charging.rpc.Charge, charge_request("", payment, **fields))
        return answer

    def end_mandate(self, mandate_id: str, agency: str = AGENCY) -> None:
        request = pb.EndMandateRequest(idempotency_key=key(), agency_id=agency, mandate_id=mandate_id, origin=ORIGIN)
        self.call(self.charging.rpc.EndMandate, request)

    def refund(self, charge_id: str, minor: int, **changes: Any) -> pb.ChargeAnswer:
        fields: dict[str, Any] = {
            "idempotency_key": key(),
            "agency_id": AGENCY,
            "charge_id": charge_id,
            "agent_id": AGENT,
            "amount_minor": minor,
            "reason": "The trip was cancelled",
            "origin": ORIGIN,
        }
        answer: pb.ChargeAnswer = self.call(self.charging.rpc.Refund, pb.RefundRequest(**(fields | changes)))
        return answer

    def status(self, payment: str = PAYMENT) -> list[pb.ChargeAnswer]:
        request = pb.StatusRequest(agency_id=AGENCY, payment_id=payment)
        return list(self.call(self.charging.rpc.Status, request).charges)

    def ledger(self, days: int = 40) -> pb.LedgerResponse:
        """What was charged in the last days."""
        answer: pb.LedgerResponse = self.call(self.charging.rpc.Ledger, self._span(days))
        return answer

    def payouts(self, days: int = 40) -> pb.PayoutsResponse:
        answer: pb.PayoutsResponse = self.call(self.charging.rpc.Payouts, self._span(days))
        return answer

    def _span(self, days: int) -> pb.LedgerRequest:
        now = self.kit.fake_clock.now()
        since, until = stamp(now - timedelta(days=days)), stamp(now + timedelta(days=1))
        return pb.LedgerRequest(agency_id=AGENCY, since=since, until=until)

    def notice(self, body: bytes, signature: str, agency: str = AGENCY) -> list[str]:
        """A message that the CRM passes on; gives the payments that may have news."""
        request = pb.TakeNoticeRequest(agency_id=agency, body=body, signature=signature)
        return list(self.call(self.charging.rpc.TakeNotice, request).payment_ids)

    def ring(self, body: bytes) -> list[str]:
        """The gateway's own message, signed now."""
        return self.notice(body, signed(body, SIGNING, int(self.kit.fake_clock.now().timestamp())))

    def set_key(self, secret: str, agency: str = AGENCY, signing: str = "") -> pb.DescribeGatewayResponse:
        request = pb.SetGatewayKeyRequest(
            idempotency_key=key(), agency_id=agency, gateway="stripe", key=secret, signing_secret=signing
        )
        answer: pb.DescribeGatewayResponse = self.call(self.charging.rpc.SetGatewayKey, request, "operator")
        return answer

    def open_entry(self, gateway: str = "stripe", agent: str = AGENT, agency: str = AGENCY) -> str:
        """A slot in which an admin enters keys."""
        request = pb.OpenKeyEntryRequest(
            idempotency_key=key(), agency_id=agency, agent_id=agent, gateway=gateway, origin=ORIGIN
        )
        entry_id: str = self.call(self.charging.rpc.OpenKeyEntry, request).entry_id
        return entry_id

    def enter(self, entry_id: str, sealed: str, /, **changes: Any) -> pb.DescribeGatewayResponse:
        """What the frame sealed, passed on by the CRM."""
        fields: dict[str, Any] = {
            "idempotency_key": key(),
            "agency_id": AGENCY,
            "agent_id": AGENT,
            "entry_id": entry_id,
            "sealed": sealed,
            "origin": ORIGIN,
        }
        request = pb.EnterGatewayKeyRequest(**(fields | changes))
        answer: pb.DescribeGatewayResponse = self.call(self.charging.rpc.EnterGatewayKey, request)
        return answer

    def enter_keys(self, gateway: str = "stripe", **typed: Any) -> pb.DescribeGatewayResponse:
        """An admin types keys in the frame."""
        entry_id = self.open_entry(gateway)
        return self.enter(entry_id, self.sealed_keys(entry_id, gateway, **typed))

    def sealed_keys(self, entry_id: str, gateway: str = "stripe", /, **typed: Any) -> str:
        fields = {"entry_id": entry_id, "gateway": gateway, "confirms_mode": False, **typed}
        return self.kit.frame().seal(fields, "wv-gateway-key+jwe")

    def described(self, agency: str = AGENCY) -> pb.DescribeGatewayResponse:
        answer: pb.DescribeGatewayResponse = self.call(
            self.charging.rpc.DescribeGateway, pb.DescribeGatewayRequest(agency_id=agency)
        )
        return answer

    def poll(self, minutes: int = 30) -> int:
        """Time passes, and the poller runs."""
        self.kit.fake_clock.advance(timedelta(minutes=minutes))
        return self.charging.settling.run()


def charge_request(token: str, payment: str = PAYMENT, **changes: Any) -> pb.ChargeRequest:
    fields: dict[str, Any] = {
        "idempotency_key": key(),
        "agency_id": AGENCY,
        "payment_id": payment,
        "card_token": token,
        "agent_id": AGENT,
        "amount_minor": 15000,
        "currency": "USD",
        "description": "Service fee",
        "origin": ORIGIN,
    }
    return pb.ChargeRequest(**(fields | changes))


@contextmanager
def charging_kit(folder: Path, *, settings: GatewaySettings | None = None) -> Iterator[ChargingKit]:
    """A fresh one, its agency's key given: the simulator of Stripe's, unless other settings are."""
    with running() as book:
        kit = make_kit(folder)
        core = kit.vault.core
        stripe = GatewaySettings(stripe_url=book.origin, hosts=[book.origin], return_url="https://portal.example/")
        charging = join_rooms(
            core.database,
            ChargingTransit(cards=kit.transit, seals=kit.transit, health=core.transit.health),
            audit=core.audit,
            clock=core.clock,
            gateways=openers(settings or stripe),
            seals=kit.vault.sealing_keys,
        )
        made = ChargingKit(kit=kit, charging=charging, book=book)
        book.money.now = lambda: kit.fake_clock.now().timestamp()
        made.set_key(book.key, signing=SIGNING)
        yield made
        kit.vault.close()
