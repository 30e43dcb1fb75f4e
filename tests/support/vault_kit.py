"""A whole vault for tests: real rooms and database, a transit of our own, a clock that tests turn, both browsers."""

import base64
import hashlib
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import uuid6

from chassis.clock import Clock
from chassis.db import Database, open_database
from chassis.rpc.calls import CallInfo, enter_call, leave_call
from chassis.sealing import Letter, LetterReader, LetterWriter, OpeningKey, open_sealed, seal_to
from protos.wayvault.common.v1.common_pb2 import Origin
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.approvals.rpc import SecondRevealRpc
from services.vault.audit.service import Audit
from services.vault.bootstrap import join_rooms
from services.vault.custody.rpc import CardCustodyRpc
from services.vault.intake.rpc import CardIntakeRpc
from services.vault.migrations import MIGRATIONS
from services.vault.parts import Core, Dependencies, Limits
from services.vault.reveal.codes import Codes
from services.vault.reveal.rpc import CardRevealRpc
from services.vault.transit.service import (
    Cipher,
    CipherRefused,
    Context,
    KeyInfo,
    KeyName,
    Transit,
    TransitUnavailable,
)
from tests.support.clock import FakeClock
from tests.support.tables import sqlite_file

AGENCY, AGENT, OTHER_AGENT, PAYMENT = "agency_1", "agent_maya", "agent_jonas", "payment_1"
APPROVER = "agent_ada"
VISA, AMEX = "4111111111111111", "378282246310005"
ORIGIN = Origin(ip="203.0.113.7", user_agent="Firefox")


class FakeTransit:
    """Encrypts by nothing but encoding, bound to key and context. `fault` runs before every call and may raise."""

    def __init__(self) -> None:
        self.fault: Callable[[str, KeyName], None] = _no_fault
        self.calls: list[tuple[str, KeyName]] = []
        self._versions = dict.fromkeys(KeyName, 1)

    def rotate(self, key: KeyName) -> KeyInfo:
        self._begin("rotate", key)
        self._versions[key] += 1
        return self.info(key)

    def info(self, key: KeyName) -> KeyInfo:
        made = {number: datetime(2026, 1, 1, tzinfo=UTC) for number in range(1, self._versions[key] + 1)}
        return KeyInfo(key=key, versions=made, min_decryption_version=1, oldest_version=1)

    def encrypt(self, key: KeyName, plaintext: bytes, context: Context, *, timeout: float = 3.0) -> Cipher:
        self._begin("encrypt", key)
        bound = hashlib.sha256(key.encode() + context).digest()
        return Cipher("vault:v1:" + base64.b64encode(bound + plaintext).decode())

    def encrypt_all(
        self, key: KeyName, items: Sequence[tuple[bytes, Context]], *, timeout: float = 3.0
    ) -> list[Cipher | CipherRefused]:
        return [self.encrypt(key, plaintext, context) for plaintext, context in items]

    def decrypt(self, key: KeyName, cipher: Cipher, context: Context, *, timeout: float = 3.0) -> bytes:
        self._begin("decrypt", key)
        content = base64.b64decode(cipher.text.split(":", 2)[2])
        if content[:32] != hashlib.sha256(key.encode() + context).digest():
            raise CipherRefused("another context")
        return content[32:]

    def down(self, operation: str = "decrypt") -> None:
        """From now on `operation` fails as it does when the engine is sealed."""

        def refuse(called: str, key: KeyName) -> None:
            if called == operation and key is not KeyName.SEALING:
                raise TransitUnavailable

        self.fault = refuse

    def up(self) -> None:
        """No faults from now on."""
        self.fault = _no_fault

    def _begin(self, operation: str, key: KeyName) -> None:
        self.calls.append((operation, key))
        self.fault(operation, key)


def _no_fault(_operation: str, _key: KeyName) -> None:
    return None


@dataclass(slots=True, kw_only=True)
class Frame:
    """The secure frame of one page: makes a reply key, seals requests, opens answers."""

    sealing_jwk: str
    reply: OpeningKey = field(default_factory=OpeningKey.generate)

    def seal(self, payload: dict[str, Any], typ: str) -> str:
        return seal_to(self.sealing_jwk, json.dumps(payload).encode(), typ)

    def card(self, intake_id: str, **changes: Any) -> str:
        """A sealed card as the capture frame makes it."""
        fields = {
            "pan": VISA,
            "exp_month": 12,
            "exp_year": 2028,
            "cvv": "123",
            "name": "Grace Hopper",
            "intake_id": intake_id,
        }
        return self.seal(fields | changes, "wv-store+jwe")

    def reveal(self, challenge_id: str, code: str) -> str:
        fields = {"challenge_id": challenge_id, "code": code, "reply_key": self.reply.public.public_jwk}
        return self.seal(fields, "wv-reveal+jwe")

    def cvv_confirm(self, challenge_id: str, code: str) -> str:
        return self.seal({"challenge_id": challenge_id, "code": code}, "wv-cvv-confirm+jwe")

    def approve(self, challenge_id: str, code: str) -> str:
        return self.seal({"challenge_id": challenge_id, "code": code}, "wv-approve+jwe")

    def cvv_redeem(self, token: str) -> str:
        fields = {"link_token": token, "reply_key": self.reply.public.public_jwk}
        return self.seal(fields, "wv-cvv-redeem+jwe")

    def opened(self, answer: str, typ: str) -> dict[str, Any]:
        """What the frame shows."""
        shown: dict[str, Any] = json.loads(open_sealed(self.reply, answer, typ))
        return shown


@dataclass(slots=True, kw_only=True)
class Kit:
    """Everything a test needs of a vault. Calls go through the rooms' faces, as from portal and CRM."""

    vault: Dependencies
    clock: Clock
    transit: FakeTransit
    reader: LetterReader

    @property
    def fake_clock(self) -> FakeClock:
        assert isinstance(self.clock, FakeClock)
        return self.clock

    @property
    def intake(self) -> CardIntakeRpc:
        return CardIntakeRpc(self.vault.intake)

    @property
    def reveal(self) -> CardRevealRpc:
        return CardRevealRpc(self.vault.reveal)

    @property
    def seconds(self) -> SecondRevealRpc:
        return SecondRevealRpc(self.vault.seconds, self.vault.approving)

    @property
    def custody(self) -> CardCustodyRpc:
        return CardCustodyRpc(self.vault.custody)

    def frame(self) -> Frame:
        """A freshly loaded secure frame."""
        return Frame(sealing_jwk=self.vault.sealing_keys.current().public_jwk)

    def letter(self, sealed: str) -> Letter:
        """What the notifier reads."""
        return self.reader.open(sealed, self.clock.now()).letter

    def call(self, caller: str, method: Callable[[Any, Any], Any], request: Any, seconds: float = 10.0) -> Any:
        """Calls a face as the gate does."""
        with as_caller(caller, method.__name__, seconds):
            return method(request, None)

    # ---- the main job, step by step

    def open_intake(self, payment: str = PAYMENT, **changes: Any) -> str:
        fields: dict[str, Any] = {
            "idempotency_key": key(),
            "agency_id": AGENCY,
            "payment_id": payment,
            "owner_agent_id": AGENT,
            "kind": pb.INTAKE_KIND_CARD,
            "card_retention_days": 30,
            "cvv_retention_hours": 72,
            "origin": ORIGIN,
        }
        request = pb.OpenIntakeRequest(**(fields | changes))
        return str(self.call("portal", self.intake.OpenIntake, request).intake_id)

    def store_request(self, intake_id: str, **changes: Any) -> pb.StoreCardRequest:
        return pb.StoreCardRequest(
            idempotency_key=key(),
            intake_id=intake_id,
            sealed_card=self.frame().card(intake_id, **changes),
            origin=ORIGIN,
        )

    def store_card(self, request: pb.StoreCardRequest) -> pb.StoreCardResponse:
        answer: pb.StoreCardResponse = self.call("portal", self.intake.StoreCard, request)
        return answer

    def store(self, payment: str = PAYMENT, **changes: Any) -> str:
        """A stored card's token."""
        return str(self.store_card(self.store_request(self.open_intake(payment), **changes)).card_token)

    def request_reveal(self, token: str, agent: str = AGENT) -> tuple[str, str]:
        """A challenge's id and its code."""
        request = pb.RequestRevealRequest(
            idempotency_key=key(), card_token=token, agent_id=agent, purpose="Supplier on the line", origin=ORIGIN
        )
        answer = self.call("crm", self.reveal.RequestReveal, request)
        return answer.challenge_id, self.letter(answer.sealed_mail).data["code"]

    def confirm(self, sealed: str, agent: str = AGENT) -> pb.ConfirmRevealResponse:
        request = pb.ConfirmRevealRequest(agent_id=agent, sealed_request=sealed, origin=ORIGIN)
        answer: pb.ConfirmRevealResponse = self.call("crm", self.reveal.ConfirmReveal, request)
        return answer

    def request_cvv(self, token: str, agent: str = AGENT) -> tuple[str, str]:
        request = pb.RequestCvvRequest(idempotency_key=key(), card_token=token, agent_id=agent, origin=ORIGIN)
        answer = self.call("crm", self.reveal.RequestCvv, request)
        return answer.challenge_id, self.letter(answer.sealed_mail).data["code"]

    def confirm_cvv(self, sealed: str, agent: str = AGENT) -> pb.ConfirmCvvResponse:
        request = pb.ConfirmCvvRequest(agent_id=agent, sealed_request=sealed, origin=ORIGIN)
        answer: pb.ConfirmCvvResponse = self.call("crm", self.reveal.ConfirmCvv, request)
        return answer

    def cvv_link(self, token: str) -> str:
        """The token of a fresh CVV link."""
        challenge, code = self.request_cvv(token)
        answer = self.confirm_cvv(self.frame().cvv_confirm(challenge, code))
        return self.letter(answer.sealed_mail).data["url"].partition("#")[2]

    def redeem(self, sealed: str, agent: str = AGENT) -> pb.RedeemCvvLinkResponse:
        request = pb.RedeemCvvLinkRequest(agent_id=agent, sealed_request=sealed, origin=ORIGIN)
        answer: pb.RedeemCvvLinkResponse = self.call("crm", self.reveal.RedeemCvvLink, request)
        return answer

    # ---- a second reveal (M9), step by step

    def enrol(self, agent: str, *, agency: str = AGENCY, email: str = "") -> None:
        with self.vault.core.database.transaction() as session:
            self.vault.agents.enrol(
                session,
                agent_id=agent,
                agency_id=agency,
                display_name="Ada Lindqvist",
                email=email or f"{agent}@harbour.example",
                actor="operator",
            )

    def set_approver(self, agent: str = APPROVER, approver: bool = True) -> None:
        with self.vault.core.database.transaction() as session:
            self.vault.agents.set_approver(session, agent_id=agent, approver=approver, actor="operator")

    def with_approver(self) -> None:
        """Enrols Ada, and the operator makes her an approver."""
        self.enrol(APPROVER)
        self.set_approver()

    def reveal_once(self, payment: str = PAYMENT) -> str:
        """The token of a card that was shown."""
        token = self.store(payment)
        challenge, code = self.request_reveal(token)
        self.confirm(self.frame().reveal(challenge, code))
        return token

    def ask_again(self, token: str, agent: str = AGENT, reason: str = "The supplier's page crashed") -> str:
        """A second reveal's id."""
        request = pb.RequestSecondRevealRequest(
            idempotency_key=key(), card_token=token, agent_id=agent, reason=reason, origin=ORIGIN
        )
        return str(self.call("crm", self.seconds.RequestSecondReveal, request).second_reveal_id)

    def approval_code(self, second: str, approver: str = APPROVER) -> tuple[str, str]:
        """A challenge's id and the code that was mailed to the approver."""
        request = pb.RequestApprovalRequest(
            idempotency_key=key(), second_reveal_id=second, approver_id=approver, origin=ORIGIN
        )
        answer = self.call("crm", self.seconds.RequestApproval, request)
        return answer.challenge_id, self.letter(answer.sealed_mail).data["code"]

    def confirm_approval(self, sealed: str, approver: str = APPROVER) -> pb.ConfirmApprovalResponse:
        request = pb.ConfirmApprovalRequest(approver_id=approver, sealed_request=sealed, origin=ORIGIN)
        answer: pb.ConfirmApprovalResponse = self.call("crm", self.seconds.ConfirmApproval, request)
        return answer

    def refuse_second(self, second: str, approver: str = APPROVER, word: str = "") -> None:
        request = pb.RefuseSecondRevealRequest(
            idempotency_key=key(), second_reveal_id=second, approver_id=approver, word=word, origin=ORIGIN
        )
        self.call("crm", self.seconds.RefuseSecondReveal, request)

    def approved(self, token: str) -> str:
        """Asks and approves; gives the second reveal's id."""
        second = self.ask_again(token)
        challenge, code = self.approval_code(second)
        self.confirm_approval(self.frame().approve(challenge, code))
        return second

    def remove(self, token: str, idempotency_key: str = "", agent: str = AGENT) -> pb.RemoveCardResponse:
        request = pb.RemoveCardRequest(
            idempotency_key=idempotency_key or key(),
            card_token=token,
            agent_id=agent,
            reason=pb.REMOVAL_REASON_PROCESSED,
            origin=ORIGIN,
        )
        answer: pb.RemoveCardResponse = self.call("crm", self.custody.RemoveCard, request)
        return answer

    def describe(self, token: str, agent: str = AGENT) -> pb.DescribeCardResponse:
        request = pb.DescribeCardRequest(card_token=token, agent_id=agent)
        answer: pb.DescribeCardResponse = self.call("crm", self.custody.DescribeCard, request)
        return answer

    def history(self, token: str) -> list[str]:
        """What happened to a card: "action" for what was done, "action:REASON" for what was refused."""
        request = pb.ListAccessRequest(card_token=token, agent_id=AGENT)
        entries = self.call("crm", self.custody.ListAccess, request).entries
        return [e.action if e.result == "ok" else f"{e.action}:{e.reason}" for e in entries]

    def ciphers(self, token: str) -> tuple[str | None, str | None]:
        """The card's and the CVV's ciphertext as they stand in the table."""
        with self.vault.core.database.engine.connect() as connection:
            query = f"SELECT cipher, cvv_cipher FROM cards WHERE token = '{token}'"
            row = connection.exec_driver_sql(query).one()
        return row[0], row[1]


def key() -> str:
    """A fresh idempotency key."""
    return str(uuid6.uuid7())


@contextmanager
def as_caller(identity: str, method: str = "test", seconds: float = 10.0) -> Iterator[None]:
    """Makes this thread serve a call of that identity, with that much of its deadline left."""
    token = enter_call(CallInfo(method=method, caller=identity, deadline=time.monotonic() + seconds))
    try:
        yield
    finally:
        leave_call(token)


def write_letter_keys(folder: Path) -> tuple[Path, Path, Path, Path]:
    """The vault's signing key and the notifier's letter key: (signing, its public half, letter, its public half)."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in ("vault_signing", "notifier_letters"):
        private, public = folder / f"{name}.jwk", folder / f"{name}.public.jwk"
        if not private.exists():
            made = OpeningKey.generate(f"{name}-1")
            private.write_bytes(made.private_jwk())
            public.write_text(json.dumps(made.public.public_jwk | {"kid": f"{name}-1"}))
        paths += [private, public]
    return paths[0], paths[1], paths[2], paths[3]


def make_kit(folder: Path, *, database_url: str = "", clock: Clock | None = None, limits: Limits | None = None) -> Kit:
    """A vault on a fresh SQLite file, or on the database given, with two enrolled agents."""
    if database_url:
        MIGRATIONS.upgrade(database_url)
    else:
        shutil.copy(_empty_sqlite(), folder / "vault.db")
    url = database_url or f"sqlite:///{folder}/vault.db"
    kit = open_kit(open_database(url, name="vault-test", pool_size=20), folder, clock=clock, limits=limits)
    with kit.vault.core.database.transaction() as session:
        for agent in (AGENT, OTHER_AGENT):
            kit.vault.agents.enrol(
                session,
                agent_id=agent,
                agency_id=AGENCY,
                display_name="Maya Okafor",
                email=f"{agent}@harbour.example",
                actor="operator",
            )
    return kit


@cache
def _empty_sqlite() -> Path:
    """A migrated database without rows, made once; each test copies it."""
    return sqlite_file(MIGRATIONS.upgrade)


def open_kit(database: Database, folder: Path, *, clock: Clock | None = None, limits: Limits | None = None) -> Kit:
    """A vault on a database that has its tables."""
    signing, signing_public, letter, letter_public = write_letter_keys(folder / "keys")
    used_clock = clock or FakeClock()
    fake = FakeTransit()
    port: Any = fake
    transit = Transit(intake=port, reveal=port, rotation=port, sealing=port, health=port, rotates_by_itself=True)
    signing_key = OpeningKey(signing.read_bytes())
    audit = Audit(database, fake, heads_file=folder / "heads.jsonl", signing_key=signing_key, clock=used_clock)
    audit.prepare()
    core = Core(
        database=database,
        clock=used_clock,
        transit=transit,
        audit=audit,
        letters=LetterWriter(signing, "vault", letter_public),
        codes=Codes("k" * 40),
    )
    vault = join_rooms(core, limits or Limits(), cvv_link_url="http://crm.localhost:8101/cvv", stop=threading.Event())
    return Kit(vault=vault, clock=used_clock, transit=fake, reader=LetterReader(letter, {"vault": signing_public}))
