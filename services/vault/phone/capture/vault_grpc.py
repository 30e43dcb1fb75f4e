"""The vault over gRPC, with the masker's own certificate: cards are stored as a browser's frame does, acts recorded."""

import contextlib
import json
import queue
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from chassis.errors import Busy, DeadlineTooShort, Unavailable, WayvaultError
from chassis.rpc import Caller, TlsFiles, demand_serving, open_channel
from chassis.sealing import seal_to
from chassis.telemetry import Counter
from chassis.timestamps import moment_of
from protos.wayvault.common.v1.common_pb2 import Origin
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc
from services.vault.frame_keys import VaultSealingKeys
from services.vault.phone.capture.keys import overwritten
from services.vault.phone.capture.ports import Act, KeyedCard
from services.vault.phone.capture.sessions import Purpose, StoredCard

_log = structlog.get_logger("phone.vault")
_ORIGIN: Final = Origin(user_agent="telephone")
_MOST_ACTS: Final = 10_000
_PAUSE_SECONDS: Final = 1.0
_TRAIL_SECONDS: Final = 2.0
_LAST_SECONDS: Final = 3.0
# What is asked again: an answer may still come.
_PASSING: Final = (Unavailable, DeadlineTooShort, Busy)
_LOST: Final = Counter("wayvault_phone_acts_lost_total", "Acts of phone sessions that the audit trail never got.")
_LOOK_SECONDS: Final = 0.5


class VaultIntake:
    """Implements CardStore."""

    def __init__(self, address: str, tls: TlsFiles, server_name: str) -> None:
        channel = open_channel(address, tls, server_name)
        self._caller = Caller(channel)
        self._stub = vault_pb2_grpc.CardIntakeStub(channel)
        self._keys = VaultSealingKeys(address, tls, server_name)

    def store(self, card: KeyedCard, purpose: Purpose) -> StoredCard:
        key = f"{card.session_id}-{card.attempt}"
        slot = self._caller.call(
            self._stub.OpenIntake,
            pb.OpenIntakeRequest(
                idempotency_key=f"{key}-open",
                agency_id=purpose.agency_id,
                payment_id=purpose.payment_id,
                owner_agent_id=purpose.agent_id,
                kind=pb.INTAKE_KIND_CARD,
                card_retention_days=purpose.card_days,
                cvv_retention_hours=purpose.cvv_hours,
                origin=_ORIGIN,
                phone_session_id=card.session_id,
            ),
        )
        stored = self._caller.call(
            self._stub.StoreCard,
            pb.StoreCardRequest(
                idempotency_key=f"{key}-store",
                intake_id=slot.intake_id,
                sealed_card=self._sealed(card, slot.intake_id),
                origin=_ORIGIN,
            ),
        )
        return StoredCard(
            token=stored.card_token,
            brand=stored.brand,
            last4=stored.last4,
            name=stored.cardholder_name,
            kept_until=moment_of(stored.card_kept_until),
            cvv_kept_until=_moment(stored),
        )

    def _sealed(self, card: KeyedCard, intake_id: str) -> str:
        others = {
            "exp_month": int(card.expiry[:2]),
            "exp_year": 2000 + int(card.expiry[2:]),
            "name": card.name,
            "intake_id": intake_id,
        }
        # Number and CVV are put in by themselves, in memory that is overwritten: json would make texts of them.
        rest = json.dumps(others).removeprefix("{").encode()
        payload = bytearray().join([b'{"pan":"', card.number, b'","cvv":"', card.cvv, b'",', rest])
        try:
            return seal_to(dict(self._keys.current_public_jwk()), payload, "wv-store+jwe")
        finally:
            overwritten(payload)

    def close(self) -> None:
        """Closes the channels."""
        self._caller.close()
        self._keys.close()


def _moment(stored: pb.StoreCardResponse) -> datetime | None:
    return moment_of(stored.cvv_kept_until) if stored.HasField("cvv_kept_until") else None


class VaultTrail:
    """Implements Trail: acts wait in memory until the vault has recorded them, in order.

    One that it refuses for good is logged, counted and dropped.
    """

    def __init__(self, address: str, tls: TlsFiles, server_name: str) -> None:
        channel = open_channel(address, tls, server_name)
        self._caller = Caller(channel)
        self._stub = vault_pb2_grpc.PhoneTrailStub(channel)
        self._acts: queue.Queue[Act] = queue.Queue(_MOST_ACTS)
        # The act that was being handed on when the masker was told to end.
        self._left: Act | None = None

    def record(self, act: Act) -> None:
        try:
            self._acts.put_nowait(act)
        except queue.Full:
            _lost(act, "too many wait")

    def run(self, stop: threading.Event) -> None:
        """Hands acts on until `stop` is set, then those that are left, for a few seconds at most."""
        while not stop.is_set():
            with contextlib.suppress(queue.Empty):
                self._hand_on(self._acts.get(timeout=_LOOK_SECONDS), stop)
        ends = time.monotonic() + _LAST_SECONDS
        while (act := self._next()) is not None:
            if time.monotonic() > ends or not self._told(act):
                _lost(act, "the masker ends")

    def _hand_on(self, act: Act, stop: threading.Event) -> None:
        """Tries until the vault has the act or refuses it for good; `stop` leaves it to the last try of all."""
        while not self._told(act):
            if stop.wait(_PAUSE_SECONDS):
                self._left = act
                return

    def _next(self) -> Act | None:
        if (act := self._left) is not None:
            self._left = None
            return act
        with contextlib.suppress(queue.Empty):
            return self._acts.get_nowait()
        return None

    def _told(self, act: Act) -> bool:
        """Whether nothing is left to be done for the act: the vault has recorded it, or never will."""
        request = pb.RecordPhoneActRequest(
            idempotency_key=act.id,
            action=act.action,
            refused=act.refused,
            reason=act.reason,
            session_id=act.session_id,
            agency_id=act.agency_id,
            agent_id=act.agent_id,
            payment_id=act.payment_id,
        )
        try:
            self._caller.call(self._stub.RecordPhoneAct, request, _TRAIL_SECONDS)
        except _PASSING as error:
            _log.warning("phone.act_waits", action=act.action, cause=type(error).__name__)
            return False
        except WayvaultError as error:
            # Asked again it would be refused again, and hold up every act behind it.
            _lost(act, type(error).__name__)
        return True


def _lost(act: Act, why: str) -> None:
    _LOST.inc()
    _log.error("phone.act_lost", action=act.action, session_id=act.session_id, reason=act.reason, why=why)


class VaultWatch:
    """Whether the vault could store a card now; asked only while there is a session, `under_way`."""

    def __init__(self, address: str, tls: TlsFiles, server_name: str, under_way: Callable[[], int]) -> None:
        self._channel = open_channel(address, tls, server_name)
        self._under_way = under_way
        self.answers = True

    def run(self, stop: threading.Event) -> None:
        """Looks twice a second until `stop` is set."""
        while not stop.wait(_LOOK_SECONDS):
            self.answers = not self._under_way() or self._serves()
        self._channel.close()

    def demand(self) -> None:
        """Asks it now. Raises Unavailable."""
        demand_serving(self._channel, seconds=1.0)

    def _serves(self) -> bool:
        try:
            self.demand()
        except Unavailable:
            return False
        return True
