"""An agency's gateway keys: entered by an admin in the secure frame, or given by the operator's command.

An admin's key counts only once the gateway was called with it and accepted it: until then the one before stays. What
the frame sealed is opened here alone, and leaves in calls to the gateway alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, Protocol, cast

from sqlalchemy import CursorResult, Table, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import IntakeExpired, IntakeUsed, InvalidArgument, NotFound, SealBroken, Unavailable
from chassis.ids import new_id
from chassis.rpc.calls import require_time
from chassis.rpc.idempotency import CallKey
from protos.wayvault.common.v1.common_pb2 import Origin
from services.vault.audit.service import AuditEntry
from services.vault.charging.accounts import Accounts, Secrets, account_of, require_secrets
from services.vault.charging.gateways.port import AccountTold, GatewayRefused, GatewayUnknown
from services.vault.charging.gateways.registry import KINDS
from services.vault.charging.models import GatewayAccountRow, KeyEntryRow
from services.vault.charging.records import has_open_charges, name_account
from services.vault.charging.rules import GATEWAY_PATIENCE
from services.vault.refusals import Act, Recorder, Refusals

SEALED_AS: Final = "wv-gateway-key+jwe"
# Long enough to fetch a key from the gateway's site.
_OPEN_FOR: Final = timedelta(minutes=10)
_KEPT_FOR: Final = timedelta(days=1)
# A key is proven by one call, and its account read by another.
_TIME_NEEDED: Final = 2 * GATEWAY_PATIENCE + 1
_LONGEST: Final = 300
_ENTRIES: Final = cast("Table", KeyEntryRow.__table__)
_ACCOUNTS: Final = cast("Table", GatewayAccountRow.__table__)
_SILENT: Final = "The gateway did not answer, so nothing was changed. Try again in a moment."


class SealOpener(Protocol):
    """Opens what the secure frame sealed."""

    def open(self, text: str, typ: str) -> bytes:
        """Raises SealBroken when it does not open."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """A slot that is asked for."""

    agency_id: str
    agent_id: str
    gateway: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What the frame sent for a slot."""

    agency_id: str
    agent_id: str
    entry_id: str
    sealed: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class _Typed:
    """What was typed. `confirms_mode`: they know that test becomes live, or live test."""

    secrets: Secrets
    live: bool
    confirms_mode: bool


class _KeyRefused(InvalidArgument):
    """The gateway does not accept a key; `why` is its code for that."""

    def __init__(self, code: str) -> None:
        super().__init__(_REFUSED.get(code, "The gateway does not accept this key."), field="key")
        self.why = code


class KeyEntries:
    """See the module."""

    def __init__(
        self, *, database: Database, clock: Clock, trail: Recorder, accounts: Accounts, seals: SealOpener
    ) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail
        self._accounts = accounts
        self._seals = seals
        self._refusals = Refusals(database, trail)

    def open(self, new: NewEntry, key: CallKey) -> KeyEntryRow:
        """A slot; the same call again gives the same one. Raises InvalidArgument for a gateway that there is not."""
        if new.gateway not in KINDS:
            raise InvalidArgument("There is no such gateway.", field="gateway")
        now = self._clock.now()
        row = KeyEntryRow(
            id=new_id("gwkey"),
            request_hash=key.key_hash,
            agency_id=new.agency_id,
            agent_id=new.agent_id,
            gateway=new.gateway,
            opened_at=now,
            expires_at=now + _OPEN_FOR,
        )
        act = Act(
            action="gateway_key.entry_opened",
            refused_action="gateway_key.refused",
            origin=new.origin,
            resource=new.agency_id,
            agent_id=new.agent_id,
        )
        try:
            with self._database.transaction() as session:
                old = _ENTRIES.c.expires_at < now - _KEPT_FOR
                session.execute(delete(_ENTRIES).where(_ENTRIES.c.agency_id == new.agency_id, old))
                session.add(row)
                self._trail.record(session, act.entry(reason=new.gateway))
                session.flush()
                session.expunge(row)
        except IntegrityError:
            with self._database.read() as session:
                row = session.scalars(select(KeyEntryRow).where(KeyEntryRow.request_hash == key.key_hash)).one()
                session.expunge(row)
        return row

    def enter(self, entered: Entered, key: CallKey) -> GatewayAccountRow:
        """Stores the keys once the gateway has accepted them. The same call again changes nothing.

        Raises NotFound, IntakeUsed, IntakeExpired and SealBroken for the slot, InvalidArgument with the field for what
        was typed, or that the gateway does not accept, and Unavailable while it does not answer.
        """
        require_time(_TIME_NEEDED)
        act = Act(
            action="gateway_key.set",
            refused_action="gateway_key.refused",
            origin=entered.origin,
            resource=entered.agency_id,
            agent_id=entered.agent_id,
        )
        with self._refusals.audited(act):
            entry, before = self._find(entered)
            if entry.answered_hash == key.key_hash and before is not None:
                return before
            self._demand_open(entry)
            typed = read_typed(self._seals.open(entered.sealed, SEALED_AS), entry)
            _demand_confirmed(before, typed)
            told = self._prove(entry, typed, act)
            made = self._made(entry, typed, told, before)
            with self._database.transaction() as session:
                _demand_nothing_open(session, before, made)
                if not self._use(session, entry, key):
                    raise IntakeUsed("These keys were entered already. Open the form again to enter others.")
                kept = session.merge(made)
                self._trail.record(session, act.entry(reason=_words_of(made)))
                session.flush()
                session.expunge(kept)
            return kept

    def set_by_operator(self, agency_id: str, gateway: str, secrets: Secrets) -> GatewayAccountRow:
        """Stores what the operator gives: unproven, unless a charge is open, which only its own account can tell of. An
        empty signing secret keeps the one of the same gateway. Raises InvalidArgument, and Unavailable for a gateway
        that must be asked and does not answer."""
        with self._database.read() as session:
            before = account_of(session, agency_id)
            is_open = has_open_charges(session, agency_id)
        if before is not None and before.gateway == gateway and not secrets.signing:
            secrets = Secrets(key=secrets.key, signing=self._accounts.secrets(before).signing)
        sealed = self._accounts.seal(agency_id, gateway, secrets, self._clock.now())
        if is_open:
            told = self._told(gateway, secrets.key)
            sealed.account, sealed.account_name, sealed.checked_at = told.reference, told.name, self._clock.now()
        entry = AuditEntry(action="gateway_key.set", actor="operator", resource=agency_id, reason=_words_of(sealed))
        with self._database.transaction() as session:
            _demand_nothing_open(session, before, sealed)
            kept = session.merge(sealed)
            self._trail.record(session, entry)
            session.flush()
            session.expunge(kept)
        return kept

    def check(self, agency_id: str) -> GatewayAccountRow:
        """Asks the gateway about the key that is set. Raises NotFound, and Unavailable while it does not answer."""
        require_time(_TIME_NEEDED)
        with self._database.read() as session:
            account = account_of(session, agency_id)
        if account is None:
            raise NotFound("No key of a gateway is set.")
        news: dict[str, Any] = {"checked_at": self._clock.now(), "check_code": ""}  # Any: column values
        try:
            told = self._accounts.open(account).prove()
            news |= {"account": told.reference, "account_name": told.name} if told.reference else {}
        except GatewayRefused as refusal:
            news["check_code"] = refusal.code
        except GatewayUnknown as silence:
            raise Unavailable(_SILENT) from silence
        with self._database.transaction() as session:
            same = (_ACCOUNTS.c.agency_id == agency_id) & (_ACCOUNTS.c.set_at == account.set_at)
            session.execute(update(_ACCOUNTS).where(same).values(**news))
            now = cast("GatewayAccountRow", account_of(session, agency_id))
            if now.account:
                name_account(session, now)
            return now

    # ---- one entry

    def _find(self, entered: Entered) -> tuple[KeyEntryRow, GatewayAccountRow | None]:
        with self._database.read() as session:
            entry = session.get(KeyEntryRow, entered.entry_id)
            if entry is None or (entry.agency_id, entry.agent_id) != (entered.agency_id, entered.agent_id):
                raise NotFound("There is no such form.")
            session.expunge(entry)
            return entry, account_of(session, entered.agency_id)

    def _demand_open(self, entry: KeyEntryRow) -> None:
        if entry.used_at is not None:
            raise IntakeUsed("These keys were entered already. Open the form again to enter others.")
        if self._clock.now() >= entry.expires_at:
            raise IntakeExpired("The form was open for too long. Nothing was stored; open it again.")

    def _prove(self, entry: KeyEntryRow, typed: _Typed, act: Act) -> AccountTold:
        try:
            return self._told(entry.gateway, typed.secrets.key)
        except _KeyRefused as refusal:
            with self._database.transaction() as session:
                self._trail.record(session, replace(act.refusal(InvalidArgument("")), reason=refusal.why))
            raise

    def _told(self, gateway: str, secret: str) -> AccountTold:
        """Whose key it is, by the gateway. Raises _KeyRefused and Unavailable."""
        try:
            return self._accounts.gateway(gateway, secret).prove()
        except GatewayUnknown as silence:
            raise Unavailable(_SILENT) from silence
        except GatewayRefused as refusal:
            raise _KeyRefused(refusal.code) from None

    def _made(
        self, entry: KeyEntryRow, typed: _Typed, told: AccountTold, before: GatewayAccountRow | None
    ) -> GatewayAccountRow:
        """The row to store. What the gateway signs with stays where none was typed and the account is the same."""
        secrets = typed.secrets
        same = before is not None and _same_account(before, entry.gateway, typed.live, told.reference)
        if before is not None and same and not secrets.signing:
            secrets = Secrets(key=secrets.key, signing=self._accounts.secrets(before).signing)
        now = self._clock.now()
        row = self._accounts.seal(entry.agency_id, entry.gateway, secrets, now)
        row.set_by, row.account, row.account_name = entry.agent_id, told.reference, told.name
        row.checked_at, row.check_code = now, ""
        return row

    def _use(self, session: Session, entry: KeyEntryRow, key: CallKey) -> bool:
        statement = (
            update(_ENTRIES)
            .where(_ENTRIES.c.id == entry.id, _ENTRIES.c.used_at.is_(None))
            .values(used_at=self._clock.now(), answered_hash=key.key_hash)
        )
        return cast("CursorResult[Any]", session.execute(statement)).rowcount == 1


_REFUSED: Final = {
    "gateway_key_refused": "The gateway does not accept this key. Check that it is whole and was not revoked.",
    "gateway_key_limited": "The gateway knows this key, but the key has no right to payments. Give it that right "
    "there, or enter another.",
}


def read_typed(payload: bytes, entry: KeyEntryRow) -> _Typed:
    """What the frame sealed. Raises SealBroken for what is not of its making or of another slot, InvalidArgument with
    the field for what can't be a key."""
    fields = _fields(payload)
    confirms_mode = fields.pop("confirms_mode", None)
    if type(confirms_mode) is not bool or not all(isinstance(value, str) for value in fields.values()):
        raise SealBroken
    typed: Mapping[str, str] = {name: value.strip() for name, value in fields.items()}
    if typed.get("entry_id") != entry.id or typed.get("gateway") != entry.gateway:
        raise SealBroken
    for name, value in typed.items():
        if len(value) > _LONGEST:
            raise InvalidArgument("That is too long to be a key.", field=name)
    secrets = Secrets(key=KINDS[entry.gateway].key_from(typed), signing=typed.get("signing_secret", ""))
    require_secrets(entry.gateway, secrets)
    return _Typed(secrets=secrets, live=KINDS[entry.gateway].is_live(secrets.key), confirms_mode=confirms_mode)


def _fields(payload: bytes) -> dict[str, Any]:  # Any: JSON
    try:
        found = json.loads(payload)
    except ValueError:
        raise SealBroken from None
    if not isinstance(found, dict):
        raise SealBroken
    return found


def _demand_confirmed(before: GatewayAccountRow | None, typed: _Typed) -> None:
    """Whoever turns test into live, or live into test, says that they mean it."""
    if before is None or before.live is typed.live or typed.confirms_mode:
        return
    now = "real money moves from now on" if typed.live else "no money moves any more"
    raise InvalidArgument(f"Say that you mean it: {now}.", field="confirms_mode")


def _same_account(before: GatewayAccountRow, gateway: str, live: bool, reference: str) -> bool:
    return (before.gateway, before.live, before.account) == (gateway, live, reference) and reference != ""


def _demand_nothing_open(session: Session, before: GatewayAccountRow | None, made: GatewayAccountRow) -> None:
    """Only the account that was asked for a charge can tell what became of it."""
    if before is None or _same_account(before, made.gateway, made.live, made.account):
        return
    if has_open_charges(session, made.agency_id):
        raise InvalidArgument(
            "This is another account, and a charge at the present one is not settled yet: it is being found out, or "
            "waits for its client. Wait for it or give it up, then enter the key again. Nothing was changed.",
            field="key",
        )


def _words_of(account: GatewayAccountRow) -> str:
    return f"{account.gateway} {'LIVE' if account.live else 'TEST'}"
