"""The consumer: from a service's queue to its handlers, each event once and in order.

A delivery ends in exactly one of these, each durable before the acknowledgement: the effect (with its inbox row, in
one transaction), a parked row (a gap, or an attempt that failed), or the dead letters. So the bus never has to keep
time or count attempts for us; its own delivery limit only catches messages that kill the process.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from google.protobuf.message import DecodeError, Message
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chassis.backoff import grown
from chassis.bus import metrics
from chassis.bus.catalogue import CATALOGUE
from chassis.bus.handlers import EventHandlers, EventMeta, Reaction, RetryLater
from chassis.bus.inbox import Act, Inbox, Parked, Turn
from chassis.bus.port import Bus, BusUnavailable, Delivery
from chassis.bus.tables import EventTables
from chassis.clock import Clock
from chassis.db import DATABASE_AWAY, Database
from chassis.errors import Busy, DeadlineTooShort, Unavailable
from chassis.telemetry import Span, SpanKind, failed, span
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.envelope_pb2 import Envelope

log = structlog.get_logger(__name__)

# Faults that pass by themselves and say nothing against the event. OperationalError: lock timeouts, deadlocks,
# a database that restarts.
_PASSING = (RetryLater, Unavailable, DeadlineTooShort, Busy, *DATABASE_AWAY)
_RECEIVE_SECONDS = 0.25
# Events that wait at the same time share a transaction; more would hold its locks for too long.
TOGETHER = 20
_SWEEP_SECONDS = 0.5
_MEASURE_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerPolicy:
    """How a consumer behaves; the defaults suit production."""

    attempts: int = 5
    # Before the second attempt; each further pause is `pause_factor` times as long, up to `longest_pause`.
    first_pause: timedelta = timedelta(seconds=1)
    pause_factor: int = 4
    longest_pause: timedelta = timedelta(minutes=5)
    # How long an event waits for those before it before it goes on without them.
    gap_limit: timedelta = timedelta(minutes=2)
    # How long an attempt at a parked event may take before another consumer may try, and so how long people wait for
    # what a killed one had in hand. Two that try at once do it once: the inbox decides.
    claim_lease: timedelta = timedelta(seconds=8)
    keep_inbox: timedelta = timedelta(days=30)


class Consumer:
    """See the module's text. `run` is a loop for chassis.lifecycle."""

    def __init__(  # noqa: PLR0917  (the same order as everywhere: where, what, over which bus, for whom)
        self,
        database: Database,
        tables: EventTables,
        bus: Bus,
        service: str,
        handlers: EventHandlers,
        clock: Clock,
        *,
        policy: ConsumerPolicy | None = None,
    ) -> None:
        self._bus = bus
        self._service = service
        self._handlers = handlers
        self._clock = clock
        self._policy = policy or ConsumerPolicy()
        self._inbox = Inbox(
            database,
            tables,
            consumer=service,
            clock=clock,
            gap_limit=self._policy.gap_limit,
            claim_lease=self._policy.claim_lease,
        )
        self._sweep_due = self._measure_due = 0.0

    def run(self, stop: threading.Event) -> None:
        """Consumes until `stop` is set, then finishes the event in hand. Faults are waited out, never raised."""
        subscription = self._bus.subscribe(self._service, self._handlers.patterns())
        try:
            while not stop.is_set():
                delivery = subscription.receive(_RECEIVE_SECONDS)
                if delivery is not None:
                    held = deque([delivery])
                    if not delivery.handed_out_before:
                        held.extend(subscription.receive_fresh(TOGETHER - 1))
                    self._until_done(lambda held=held: self.take_all(held), stop)  # type: ignore[misc]
                if time.monotonic() >= self._sweep_due:
                    self._until_done(self.sweep, stop)
                    self._sweep_due = time.monotonic() + _SWEEP_SECONDS
        finally:
            subscription.close()

    def take_all(self, held: deque[Delivery]) -> None:
        """Deals with the deliveries, together if that goes well, and takes each from `held` when it is settled. Raises
        as `take`, with what is still held not settled."""
        if len(held) > 1:
            self._take_together(held)
        while held:
            self.take(held[0])
            held.popleft()

    def _take_together(self, held: deque[Delivery]) -> None:
        """Acts upon as many of the first deliveries as can share a transaction. When that fails nothing was done: each
        is taken alone then, and what is wrong with one of them shows there."""
        acts = self._acts(held)
        if len(acts) < 2:
            return
        try:
            turns = self._inbox.act_together(acts)
        except Exception as fault:
            log.info("consumer.taken_apart", events=len(acts), cause=_name(fault))
            return
        for act, turn in zip(acts, turns, strict=True):
            passed = self._settle(act.envelope, turn, handled=act.effect is not None)
            held.popleft().ack()
            if passed:
                self._go_on_after(act.envelope)

    def _acts(self, held: Iterable[Delivery]) -> list[Act]:
        """What is to be done on each of the first deliveries, up to one that has to be taken alone: it is malformed, or
        work has to be done before its transaction."""
        acts: list[Act] = []
        for delivery in held:
            envelope, fault = _open(delivery.body)
            reaction = self._handlers.reaction(envelope.type)
            if fault or (reaction is not None and reaction.befores):
                break
            effect = None
            if reaction is not None and reaction.handlers:
                try:
                    message = reaction.message_class.FromString(envelope.payload)
                except DecodeError:
                    break
                effect = _traced(envelope, _effect(reaction, message, _meta(envelope, delivery.replayed)))
            acts.append(Act(envelope=envelope, replayed=delivery.replayed, effect=effect))
        return acts

    def take(self, delivery: Delivery) -> None:
        """Deals with one delivery and settles it. Raises SQLAlchemyError or BusUnavailable when it could not, with
        nothing settled; the same delivery may then be taken again."""
        envelope, fault = _open(delivery.body)
        if fault:
            log.error("consumer.malformed", fault=fault, bytes=len(delivery.body))
            self._count("dead")
            delivery.reject(fault)
            return
        passed = self._attempt(Parked(envelope=envelope, replayed=delivery.replayed, attempts=1, postponed=0))
        delivery.ack()
        if passed:
            self._go_on_after(envelope)

    def sweep(self) -> None:
        """Attempts what is due among the parked events, and gives up gaps that stayed open too long."""
        if self._inbox.parked_count():
            for envelope in self._inbox.abandon_gaps():
                metrics.GAPS_ABANDONED.labels(self._service).inc()
                log.error("consumer.gap_abandoned", type=envelope.type, before_sequence=envelope.sequence)
            while (parked := self._inbox.claim_due()) is not None:
                if self._attempt(parked):
                    self._go_on_after(parked.envelope)
        if time.monotonic() >= self._measure_due:
            self._measure_due = time.monotonic() + _MEASURE_SECONDS
            self._measure()

    def _go_on_after(self, envelope: Envelope) -> None:
        """Attempts the events that were parked behind this one, as far as they follow without a gap. What another
        process has parked meanwhile is found by `sweep`."""
        if not self._inbox.may_have_parked:
            return
        while (following := self._inbox.claim_next(envelope)) is not None and self._attempt(following):
            envelope = following.envelope

    def _attempt(self, parked: Parked) -> bool:
        """One attempt; whatever comes of it is durable on return. Returns whether the event is done with, so that the
        one behind it may go on."""
        envelope = parked.envelope
        if parked.attempts > self._policy.attempts:  # the last one ended the process
            return self._bury(envelope, "attempts")
        reaction = self._handlers.reaction(envelope.type)
        if reaction is None or not reaction.handlers:
            turn = self._inbox.act(envelope, replayed=parked.replayed, effect=None)
            return self._settle(envelope, turn, handled=False)
        try:
            message = reaction.message_class.FromString(envelope.payload)
        except DecodeError:
            return self._bury(envelope, "malformed payload")
        with _processing(envelope) as processing:
            return self._react(parked, reaction, message, processing)

    def _react(self, parked: Parked, reaction: Reaction, message: Message, processing: Span) -> bool:
        envelope = parked.envelope
        try:
            turn = self._act(parked, reaction, message)
        except _PASSING as fault:
            pause = grown(timedelta(seconds=_seconds(fault)), parked.postponed, self._policy.longest_pause)
            log.info("consumer.postponed", type=envelope.type, event_id=envelope.event_id, cause=_name(fault))
            self._count("postponed")
            self._retry_after(pause, parked, attempts=parked.attempts - 1, postponed=parked.postponed + 1)
        except Exception as fault:
            metrics.ATTEMPTS_FAILED.labels(self._service, envelope.type).inc()
            failed(processing, _name(fault))
            log.error(
                "consumer.attempt_failed",
                type=envelope.type,
                event_id=envelope.event_id,
                attempt=parked.attempts,
                cause=_name(fault),
                where=_where(fault),
            )
            if parked.attempts >= self._policy.attempts:
                return self._bury(envelope, "attempts")
            pause = self._policy.first_pause * self._policy.pause_factor ** (parked.attempts - 1)
            self._retry_after(
                min(pause, self._policy.longest_pause), parked, attempts=parked.attempts, postponed=parked.postponed
            )
        else:
            return self._settle(envelope, turn, handled=True)
        return False

    def _act(self, parked: Parked, reaction: Reaction, message: Message) -> Turn:
        envelope = parked.envelope
        meta = _meta(envelope, parked.replayed)
        effect = _effect(reaction, message, meta)
        if reaction.befores and self._inbox.look(envelope, replayed=parked.replayed) is Turn.READY:
            reaction.prepare(message, meta)
        elif reaction.befores:
            return self._inbox.act(envelope, replayed=parked.replayed, effect=_not_prepared)
        return self._inbox.act(envelope, replayed=parked.replayed, effect=effect)

    def _retry_after(self, pause: timedelta, parked: Parked, *, attempts: int, postponed: int) -> None:
        self._inbox.park_for_retry(
            parked.envelope, replayed=parked.replayed, attempts=attempts, postponed=postponed, pause=pause
        )

    def _settle(self, envelope: Envelope, turn: Turn, *, handled: bool) -> bool:
        self._count(turn.value if handled else "not_ours")
        match turn:
            case Turn.READY if handled:
                lag = self._clock.now() - moment_of(envelope.occurred_at)
                metrics.CONSUMER_LAG.labels(self._service).observe(max(0.0, lag.total_seconds()))
            case Turn.LATE if handled:
                # Newer news was acted upon already, so this must not overwrite it; but it was never acted upon
                # either, so an operator gets to see it instead of it being dropped in silence.
                self._bury(envelope, "late")
            case _:
                pass
        return turn is not Turn.GAP

    def _bury(self, envelope: Envelope, reason: str) -> bool:
        self._bus.bury(envelope, service=self._service, reason=reason)
        self._inbox.give_up(envelope)
        self._count("dead")
        log.error("consumer.dead_letter", type=envelope.type, event_id=envelope.event_id, reason=reason)
        return True

    def _until_done(self, step: Callable[[], None], stop: threading.Event) -> None:
        """Does a step; while database or bus are away, again after growing pauses until `stop` is set."""
        failures = 0
        while True:
            pause = grown(0.2, failures, 10.0)
            try:
                step()
                return
            except (SQLAlchemyError, BusUnavailable) as error:
                log.warning("consumer.waiting", cause=_name(error), seconds=pause)
            if stop.wait(pause):
                return
            failures += 1

    def _measure(self) -> None:
        metrics.PARKED.labels(self._service).set(self._inbox.parked_count())
        self._inbox.forget(self._policy.keep_inbox)
        try:
            metrics.QUEUE_DEPTH.labels(self._service).set(self._bus.waiting(self._service))
            metrics.DEAD_LETTERS.labels(self._service).set(self._bus.dead_letter_count())
        except BusUnavailable as error:
            log.warning("consumer.dead_letters_unknown", cause=_name(error))

    def _count(self, outcome: str) -> None:
        metrics.CONSUMED.labels(self._service, outcome).inc()


def _effect(reaction: Reaction, message: Message, meta: EventMeta) -> Callable[[Session], None]:
    return lambda session: reaction.handle(session, message, meta)


def _traced(envelope: Envelope, effect: Callable[[Session], None]) -> Callable[[Session], None]:
    def traced(session: Session) -> None:
        with _processing(envelope):
            effect(session)

    return traced


def _processing(envelope: Envelope) -> AbstractContextManager[Span]:
    """The span of one event's reaction, in the trace of what caused it."""
    return span(
        f"process {envelope.type}",
        kind=SpanKind.CONSUMER,
        parent=envelope.traceparent,
        attributes={
            "messaging.system": "wayvault",
            "messaging.operation.type": "process",
            "messaging.destination.name": envelope.type,
        },
    )


def _not_prepared(_: Session) -> None:
    """It became the event's turn between the look and the lock: do the work before the transaction first."""
    raise RetryLater(0.1)


def _open(body: bytes) -> tuple[Envelope, str]:
    """The envelope in a message from outside and what is wrong with it; empty if nothing."""
    try:
        envelope = Envelope.FromString(body)
    except DecodeError:
        return Envelope(), "not an envelope"
    return envelope, _fault(envelope)


def _fault(envelope: Envelope) -> str:
    if not (envelope.event_id and envelope.type and envelope.aggregate_type and envelope.aggregate_id):
        return "an empty envelope field"
    if not 1 <= envelope.sequence < 2**63 or len(envelope.event_id) > 36 or len(envelope.aggregate_id) > 200:
        return "an envelope field out of range"
    declared = CATALOGUE.get(envelope.type)
    if declared and (envelope.producer, envelope.aggregate_type) != (declared.producer, declared.aggregate):
        return "an envelope that contradicts the catalogue"
    return ""


def _meta(envelope: Envelope, replayed: bool) -> EventMeta:
    return EventMeta(
        event_id=envelope.event_id,
        type=envelope.type,
        aggregate_type=envelope.aggregate_type,
        aggregate_id=envelope.aggregate_id,
        sequence=envelope.sequence,
        occurred_at=moment_of(envelope.occurred_at),
        producer=envelope.producer,
        agency_id=envelope.agency_id,
        traceparent=envelope.traceparent,
        replayed=replayed,
    )


def _seconds(fault: BaseException) -> float:
    return fault.seconds if isinstance(fault, RetryLater) else 2.0


def _name(fault: BaseException) -> str:
    """A fault's kind. Its text stays out of the log: database errors quote the values of a row."""
    return type(fault).__name__


def _where(fault: BaseException) -> str:
    """File and line at which it was raised."""
    trace: Any = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
