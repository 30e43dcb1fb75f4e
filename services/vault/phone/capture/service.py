"""Secure sessions: opened for the CRM, tied to a call by a PIN, keyed field by field, ended in one of eight ways.

Two kinds of threads come here: the media thread (`Listener`, `tick`) and the RPC's. One lock guards all; nothing
slow is done under it. Sessions live in memory only: a crash ends them, and nothing of them is on any disk.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

from chassis.errors import CardInvalid, InvalidArgument, NotFound, WayvaultError
from chassis.ids import new_id
from services.vault.phone.calls.masker import Masker
from services.vault.phone.calls.ports import Ended, Transport
from services.vault.phone.capture.keys import overwritten
from services.vault.phone.capture.pins import PinDesk, new_pin, same, used
from services.vault.phone.capture.ports import CardStore, KeyedCard, MediaThread, Trail, act_of
from services.vault.phone.capture.rules import Field, Result, State
from services.vault.phone.capture.sessions import FieldProgress, Progress, Purpose, Session, StoredCard

# An ended session can be asked about for this long.
_REMEMBERED: Final = 120.0
_MOST_SESSIONS: Final = 500
_NOT_TIED: Final = {
    State.WAITING: "The call is not tied yet: key the PIN on your phone first.",
    State.TIED: "",
    State.STORING: "The card is being stored.",
    State.ENDED: "This phone payment is over.",
}
_ENDS: Final = {Ended.HUNG_UP: Result.HUNG_UP, Ended.HELD: Result.HELD, Ended.TRANSFERRED: Result.TRANSFERRED}


class Sessions:
    """See the module. `monotonic` in seconds, the same clock as the media thread's; `today` for expiry dates."""

    def __init__(
        self,
        *,
        media: MediaThread,
        store: CardStore,
        trail: Trail,
        monotonic: Callable[[], float],
        today: Callable[[], datetime],
    ) -> None:
        self._media = media
        self._store = store
        self._trail = trail
        self._monotonic = monotonic
        self._today = today
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._sessions: dict[str, Session] = {}
        self._by_call: dict[str, Session] = {}
        self._pins = PinDesk()

    # ---- for the CRM
    def open(self, purpose: Purpose) -> tuple[str, str]:
        """A session that waits for its PIN: (id, PIN)."""
        now = self._monotonic()
        with self._changed:
            if len(self._sessions) >= _MOST_SESSIONS:
                raise InvalidArgument("Too many phone payments are under way. Please try again in a minute.")
            waiting = self._waiting()
            session = Session(
                id=new_id("phone"),
                purpose=purpose,
                pin=new_pin({bytes(each.pin) for each in waiting}),
                opened_at=now,
                last_at=now,
                shown={field: FieldProgress() for field in Field},
            )
            self._sessions[session.id] = session
            self._record(session, "phone.opened")
            if not waiting:
                self._media.post(lambda masker, at: masker.watch(watching=True, now=at))
            return session.id, session.pin.decode()

    def progress(self, session_id: str, agent_id: str) -> Progress:
        """Raises NotFound for a session that is not this agent's, or is long over."""
        with self._lock:
            return self._own(session_id, agent_id).progress(self._monotonic())

    def wait(self, session_id: str, agent_id: str, version: int, seconds: float) -> Progress:
        """The progress once it is another than `version`, at the latest after `seconds`. Raises NotFound."""
        with self._changed:
            self._changed.wait_for(lambda: self._own(session_id, agent_id).version != version, timeout=seconds)
            return self._own(session_id, agent_id).progress(self._monotonic())

    def capture(self, session_id: str, agent_id: str, field: Field) -> Progress:
        """Opens a field for keys, anew if it was taken; an open one is given up. Raises NotFound, InvalidArgument."""
        now = self._monotonic()
        with self._changed:
            session = self._own(session_id, agent_id)
            if session.state is not State.TIED:
                raise InvalidArgument(_NOT_TIED[session.state], field="field")
            session.begin_field(field, now)
            self._touch(session)
            self._keying(session, keying=True)
            return session.progress(now)

    def give_up_field(self, session_id: str, agent_id: str) -> Progress:
        """Closes the open field without taking it. Raises NotFound."""
        now = self._monotonic()
        with self._changed:
            session = self._own(session_id, agent_id)
            if session.open_field is not None:
                session.shown[session.open_field] = FieldProgress(asked=session.shown[session.open_field].asked)
                session.close_field()
                session.last_at = now
                self._keying(session, keying=False)
                self._touch(session)
            return session.progress(now)

    def finish(self, session_id: str, agent_id: str, name: str) -> Progress:
        """Seals and stores the card. Raises NotFound, InvalidArgument when a field is missing, the store's errors."""
        with self._changed:
            session = self._own(session_id, agent_id)
            if session.state is State.ENDED and session.result is Result.STORED:
                return session.progress(self._monotonic())
            if session.state is not State.TIED:
                raise InvalidArgument(_NOT_TIED[session.state])
            card = self._card(session, name)
            session.attempts += 1
            session.close_field()
            session.state = State.STORING
            self._touch(session)
        try:
            stored = self._store.store(card, session.purpose)
        except WayvaultError as error:
            self._not_stored(session, error)
            raise
        finally:
            for part in (card.number, card.expiry, card.cvv):
                overwritten(part)
        with self._changed:
            session.stored = stored
            self._end(session, Result.STORED)
            return session.progress(self._monotonic())

    def stored(self, session_id: str, agent_id: str) -> StoredCard:
        """The card of a session that ended so. Raises NotFound."""
        with self._lock:
            stored = self._own(session_id, agent_id).stored
            if stored is None:
                raise NotFound("This phone payment has stored no card.")
            return stored

    def cancel(self, session_id: str, agent_id: str) -> Progress:
        """Ends a session by the agent's wish; one that is over, or is being stored, stays as it is."""
        with self._changed:
            session = self._own(session_id, agent_id)
            if session.state in (State.WAITING, State.TIED):
                self._end(session, Result.CANCELLED)
            return session.progress(self._monotonic())

    @property
    def under_way(self) -> int:
        """How many sessions are not over."""
        with self._lock:
            return sum(session.state is not State.ENDED for session in self._sessions.values())

    def run(self, stop: threading.Event) -> None:
        """Waits for `stop`, then gives up every session that waits for somebody, so that whoever watches one hears of
        it at once and no process is kept from ending."""
        stop.wait()
        with self._changed:
            for session in list(self._sessions.values()):
                if session.state in (State.WAITING, State.TIED):
                    self._record(session, "phone.ended", reason="stopped")
                    session.forget()
                    del self._sessions[session.id]
                    self._by_call.pop(session.call_id, None)
            self._changed.notify_all()

    # ---- for the media thread
    def key_while_waiting(self, call_id: str, tag: str, *, desk: bool, transport: Transport, key: int) -> None:
        now = self._monotonic()
        with self._changed:
            pin = self._pins.press(call_id, tag, transport, key, now)
            if pin is None:
                return
            try:
                self._try_pin(call_id, tag, pin, desk=desk)
            finally:
                used(pin)

    def key_in_session(self, call_id: str, transport: Transport, key: int) -> None:
        now = self._monotonic()
        with self._changed:
            session = self._by_call.get(call_id)
            if session is None or session.keyed is None or session.open_field is None:
                return
            session.last_at = session.field_at = now
            ended = session.keyed.press(transport, key, now)
            digits = session.keyed.digits()
            try:
                if session.note_keys(digits, now) or ended:
                    self._close_keyed(session, timed_out=False)
                self._touch(session)
            finally:
                overwritten(digits)

    def over(self, call_id: str, why: Ended) -> None:
        with self._changed:
            self._pins.call_over(call_id)
            session = self._by_call.get(call_id)
            # A card that is on its way to the vault is stored; the call is not needed for it any more.
            if session is not None and session.state is State.TIED:
                self._end(session, _ENDS[why])
            elif session is not None:
                session.gone = _ENDS[why]

    def tick(self, now: float) -> None:
        """Ends what has lasted too long; called several times a second."""
        with self._changed:
            for session in list(self._sessions.values()):
                self._tick(session, now)

    # ---- inside, under the lock
    def _tick(self, session: Session, now: float) -> None:
        limits = session.purpose.limits
        match session.state:
            case State.WAITING:
                if now - session.opened_at > limits.pin:
                    self._end(session, Result.PIN_EXPIRED)
            case State.TIED:
                if session.complete_at is not None and now >= session.complete_at:
                    self._close_keyed(session, timed_out=False)
                elif session.open_field is not None and now - session.field_at > limits.field:
                    self._close_keyed(session, timed_out=True)
                if now - session.last_at > limits.idle or now - session.opened_at > limits.total:
                    self._end(session, Result.TIMED_OUT)
            case State.ENDED:
                if now - session.ended_at > _REMEMBERED:
                    del self._sessions[session.id]
            case State.STORING:
                pass

    def _own(self, session_id: str, agent_id: str) -> Session:
        session = self._sessions.get(session_id)
        if session is None or session.purpose.agent_id != agent_id:
            raise NotFound("This phone payment is over.")
        return session

    def _waiting(self) -> list[Session]:
        return [session for session in self._sessions.values() if session.state is State.WAITING]

    def _try_pin(self, call_id: str, tag: str, pin: bytearray, *, desk: bool) -> None:
        """Whatever is wrong, nobody hears of it: a refusal is only recorded."""
        matching = [session for session in self._waiting() if same(session.pin, pin)]
        if not desk:
            self._refuse("keyed by the client's side", matching)
        elif self._pins.barred(call_id):
            self._refuse("too many wrong PINs on this call", [])
        elif call_id in self._by_call:
            self._refuse("the call has a session", matching)
        elif not matching:
            too_many = self._pins.wrong(call_id)
            self._refuse("no session has this PIN", [])
            if too_many:
                for session in self._waiting():
                    self._end(session, Result.REFUSED)
        else:
            self._ask_for_call(matching[0], call_id, tag)

    def _refuse(self, reason: str, sessions: list[Session]) -> None:
        self._trail.record(act_of(sessions[0] if sessions else None, "phone.pin", refused=True, reason=reason))

    def _ask_for_call(self, session: Session, call_id: str, tag: str) -> None:
        """One use: from here no other call can have it. The masker then says whether this call can carry it."""
        self._by_call[call_id] = session
        session.call_id, session.state = call_id, State.TIED
        session.last_at = self._monotonic()
        overwritten(session.pin)
        watching = bool(self._waiting())
        wanted = session.purpose.desk

        def begin(masker: Masker, at: float) -> None:
            begun = _begin(masker, call_id, tag, wanted, at)
            if not watching:
                _watch_no_more(masker, at)
            with self._changed:
                self._begun(session, begun=begun)

        self._media.post(begin)

    def _begun(self, session: Session, *, begun: bool) -> None:
        if session.state is not State.TIED:
            return
        if not begun:
            self._refuse("the call is over, or another telephone's", [session])
            self._end(session, Result.REFUSED)
            return
        self._record(session, "phone.tied")
        self._touch(session)

    def _close_keyed(self, session: Session, *, timed_out: bool) -> None:
        session.settle_field(self._today(), timed_out=timed_out)
        self._keying(session, keying=False)
        self._touch(session)

    def _card(self, session: Session, name: str) -> KeyedCard:
        wanted = [Field.NUMBER, Field.EXPIRY, *([Field.CVV] if session.purpose.cvv_hours else [])]
        for field in wanted:
            if field not in session.digits:
                raise InvalidArgument("Not every field has been keyed yet.", field=str(field))
        return KeyedCard(
            session_id=session.id,
            attempt=session.attempts,
            number=bytearray(session.digits[Field.NUMBER]),
            expiry=bytearray(session.digits[Field.EXPIRY]),
            cvv=bytearray(session.digits.get(Field.CVV, b"")),
            name=name,
        )

    def _not_stored(self, session: Session, error: WayvaultError) -> None:
        """Back to the fields: what the vault refuses can be keyed again, and a vault out of reach asked again."""
        with self._changed:
            if session.state is State.STORING:
                session.state = State.TIED
                session.last_at = self._monotonic()
                if isinstance(error, CardInvalid):
                    self._record(session, "phone.card", refused=True, reason="CARD_INVALID")
                self._touch(session)
                if session.gone is not None:
                    self._end(session, session.gone)

    def _end(self, session: Session, result: Result) -> None:
        session.state, session.result = State.ENDED, result
        session.ended_at = self._monotonic()
        session.forget()
        call_id = session.call_id
        if self._by_call.get(call_id) is session:
            del self._by_call[call_id]
            self._media.post(lambda masker, at: masker.end(call_id, at))
        if not self._waiting():
            self._pins.nothing_waits()
            self._media.post(_watch_no_more)
        self._record(session, "phone.ended", refused=result is Result.REFUSED, reason=str(result))
        self._touch(session)

    def _keying(self, session: Session, *, keying: bool) -> None:
        call_id = session.call_id
        self._media.post(lambda masker, _: masker.keying(call_id, keying=keying))

    def _touch(self, session: Session) -> None:
        session.version += 1
        self._changed.notify_all()

    def _record(self, session: Session, action: str, *, refused: bool = False, reason: str = "") -> None:
        self._trail.record(act_of(session, action, refused=refused, reason=reason))


def _begin(masker: Masker, call_id: str, tag: str, wanted: str, now: float) -> bool:
    call = masker.calls.get(call_id)
    desk = call.side(tag) if call is not None else None
    if desk is None or (wanted and desk.name != wanted):
        return False
    return masker.begin(call_id, tag, now)


def _watch_no_more(masker: Masker, now: float) -> None:
    masker.watch(watching=False, now=now)
