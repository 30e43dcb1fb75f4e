"""One secure session: what it is for, where it is, and the digits it holds. Values and memory, no waiting."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from chassis.cards import Brand
from services.vault.phone.calls.ports import Transport
from services.vault.phone.capture.keys import KeyedField, overwritten
from services.vault.phone.capture.rules import (
    Enough,
    Field,
    Refusal,
    Result,
    State,
    TimeLimits,
    brand_so_far,
    enough,
    longest,
    refusal,
)

# A field that may be complete is, when no key follows for this long (seconds).
_SETTLED: Final = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What the CRM asked a session for. `desk`: the only telephone that may key the PIN, empty for any of the agency's.

    `card_days`, `cvv_hours`: as in CardIntake.
    """

    agency_id: str
    agent_id: str
    payment_id: str
    desk: str
    card_days: int
    cvv_hours: int
    limits: TimeLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProgress:
    """What may be shown of a field: how many digits, whether it was taken, why not, how often it was asked for."""

    digits: int = 0
    taken: bool = False
    refusal: Refusal | None = None
    asked: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What may be shown of a session. `seconds_left`: of the PIN, the open field or the session, whichever is next."""

    state: State
    fields: Mapping[Field, FieldProgress]
    open_field: Field | None
    brand: Brand | None
    last4: str
    result: Result | None
    seconds_left: float
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCard:
    """What the vault says of a card that it took."""

    token: str
    brand: str
    last4: str
    name: str
    kept_until: datetime
    cvv_kept_until: datetime | None


@dataclass(eq=False, slots=True, kw_only=True)
class Session:
    """A session. Its owner holds the lock."""

    id: str
    purpose: Purpose
    pin: bytearray
    opened_at: float
    last_at: float
    state: State = State.WAITING
    call_id: str = ""
    shown: dict[Field, FieldProgress] = field(default_factory=dict)
    digits: dict[Field, bytearray] = field(default_factory=dict)
    keyed: KeyedField | None = None
    open_field: Field | None = None
    field_at: float = 0.0
    complete_at: float | None = None
    owed: dict[Transport, int] = field(default_factory=dict)
    brand: Brand | None = None
    stored: StoredCard | None = None
    attempts: int = 0
    result: Result | None = None
    # The call ended while the card was being stored.
    gone: Result | None = None
    ended_at: float = 0.0
    version: int = 0

    def progress(self, now: float) -> Progress:
        """A snapshot without a digit but the last four of a card that was stored."""
        return Progress(
            state=self.state,
            fields=dict(self.shown),
            open_field=self.open_field,
            brand=self.brand,
            last4=self.stored.last4 if self.stored else "",
            result=self.result,
            seconds_left=max(0.0, self._ends_at() - now) if self.state is not State.ENDED else 0.0,
            version=self.version,
        )

    def _ends_at(self) -> float:
        limits = self.purpose.limits
        if self.state is State.WAITING:
            return self.opened_at + limits.pin
        if self.open_field is not None:
            return self.field_at + limits.field
        return min(self.last_at + limits.idle, self.opened_at + limits.total)

    def forget(self) -> None:
        """Overwrites every digit."""
        overwritten(self.pin)
        for kept in self.digits.values():
            overwritten(kept)
        self.digits.clear()
        self.close_field()

    def begin_field(self, wanted: Field, now: float) -> None:
        """Opens a field for keys, anew if it was taken; an open one is given up."""
        self.close_field()
        if (old := self.digits.pop(wanted, None)) is not None:
            overwritten(old)
        self.open_field, self.field_at, self.last_at = wanted, now, now
        self.keyed = KeyedField(longest(wanted), self.owed, now)
        self.shown[wanted] = FieldProgress(asked=self.shown[wanted].asked + 1)
        if wanted is Field.NUMBER:
            self.brand = None

    def note_keys(self, digits: bytearray, now: float) -> bool:
        """Counts what is in the open field; whether it is complete now. One that may be is, when no key follows."""
        if self.open_field is None:
            return False
        wanted = self.open_field
        if wanted is Field.NUMBER:
            self.brand = brand_so_far(digits)
        self.shown[wanted] = FieldProgress(digits=len(digits), asked=self.shown[wanted].asked)
        complete = enough(wanted, digits, self.brand)
        self.complete_at = now + _SETTLED if complete is Enough.SOON else None
        return complete is Enough.NOW

    def settle_field(self, today: datetime, *, timed_out: bool) -> None:
        """Takes what is in the open field, or says why not, and closes it."""
        if self.open_field is None or self.keyed is None:
            return
        wanted, digits = self.open_field, self.keyed.digits()
        why = refusal(wanted, digits, self.brand, today)
        if timed_out and why is not None:
            why = Refusal.TIMED_OUT
        asked = self.shown[wanted].asked
        self.shown[wanted] = FieldProgress(digits=len(digits), taken=why is None, refusal=why, asked=asked)
        if why is None:
            self.digits[wanted] = digits
        else:
            overwritten(digits)
        self.close_field()

    def close_field(self) -> None:
        """No field takes keys any more."""
        if self.keyed is not None:
            self.owed = self.keyed.still_owed()
            self.keyed.overwrite()
        self.keyed, self.open_field, self.complete_at = None, None, None
