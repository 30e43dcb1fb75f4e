"""Queues deliveries and takes the due ones; each call is inside the caller's transaction."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, cast

import structlog
from sqlalchemy import Row, Table, and_, bindparam, delete, event, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import UtcDateTime, insert_if_absent
from chassis.ids import new_id
from protos.wayvault.events.v1.events_pb2 import DeliveryFailed, DeliverySent
from services.notifier.deliveries.message import Attachment, packed
from services.notifier.deliveries.models import Delivery
from services.notifier.deliveries.rules import (
    LEASE,
    DeliveryState,
    Next,
    Outcome,
    Stumbled,
    after_try,
    mask_address,
)
from services.notifier.templates.rules import Mail

log = structlog.get_logger(__name__)
# A letter that can't be opened any more has no template to name.
UNREADABLE = "sealed_mail"
# So many deliveries that nobody wants any more are passed over before another transaction goes on.
_UNWANTED_AT_ONCE = 5
# What is said for every mail is said to the table itself, which takes less of the processor than mapped rows.
_TABLE = cast("Table", Delivery.__table__)  # a mapped class's table is a Table
DeliveryColumns = Row[Any]  # Any: its columns
"""A delivery as the table has it, under the names of Delivery."""
_DUE = or_(
    and_(Delivery.state == DeliveryState.QUEUED.value, Delivery.next_attempt_at <= bindparam("now", type_=UtcDateTime)),
    and_(
        Delivery.state == DeliveryState.IN_FLIGHT.value, Delivery.lease_until < bindparam("lapsed", type_=UtcDateTime)
    ),
)
_CLAIM = (
    update(_TABLE)
    .where(
        Delivery.id
        == select(Delivery.id)
        .where(_DUE)
        .order_by(Delivery.next_attempt_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery(),
        _DUE,
    )
    .values(
        state=DeliveryState.IN_FLIGHT.value,
        lease_until=bindparam("until", type_=UtcDateTime),
        attempts=Delivery.attempts + 1,
    )
    .returning(*_TABLE.c)
)
_HELD = (
    select(*(column for column in _TABLE.c if column.name not in {"sealed_letter", "attachment", "copies"}))
    .where(_TABLE.c.id == bindparam("delivery_id"))
    .with_for_update()
)
_CHANGE = update(_TABLE).where(_TABLE.c.id == bindparam("delivery_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """A mail to be queued. `source_key` makes it once only; `sealed_letter` or `address` says where it goes."""

    source_key: str
    template: Mail
    agency_id: str
    address: str = ""
    address_hint: str = ""
    sealed_letter: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    attachment: Attachment | None = None
    # Instead of it, where there are several.
    copies: Sequence[Attachment] = ()
    payment_id: str = ""
    link_id: str = ""
    agent_id: str = ""
    expires_at: datetime | None = None


class Follower(Protocol):
    """A room that has a say in its mails until they leave, and must know how they ended. Called inside the delivery's
    own transactions."""

    def wanted(self, session: Session, source_key: str) -> bool:
        """Asked each time a mail is about to leave; one that is not wanted any more is dropped."""

    def finished(self, session: Session, source_key: str, state: DeliveryState, reason: str) -> None:
        """The mail was sent, or has failed for good."""


class Deliveries:
    """The deliveries' use cases."""

    def __init__(self, *, clock: Clock, outbox: Outbox, wake: threading.Event) -> None:
        """`wake` is set when a transaction that queued something has been committed."""
        self._clock = clock
        self._outbox = outbox
        self._wake = wake
        self._followers: dict[str, Follower] = {}

    def follow(self, mail: Mail, follower: Follower) -> None:
        """Lets a room follow its kind of mail."""
        self._followers[mail.value] = follower

    def queue(self, session: Session, new: NewDelivery) -> bool:
        """Queues a mail; returns whether it was new."""
        now = self._clock.now()
        event.listen(session, "after_commit", lambda _: self._wake.set(), once=True)
        return insert_if_absent(
            session,
            Delivery.__table__,  # type: ignore[arg-type]  # a mapped class's table is a Table
            {
                "id": new_id("dlv"),
                "source_key": new.source_key,
                "template": new.template.value,
                "state": DeliveryState.QUEUED.value,
                "agency_id": new.agency_id,
                "address": new.address,
                "address_hint": new.address_hint or mask_address(new.address),
                "sealed_letter": new.sealed_letter,
                "data": json.dumps(dict(new.data)),
                "attachment_name": new.attachment.name if new.attachment else None,
                "attachment": new.attachment.content if new.attachment else None,
                "copies": packed(new.copies) if new.copies else None,
                "payment_id": new.payment_id,
                "link_id": new.link_id,
                "agent_id": new.agent_id,
                "attempts": 0,
                "last_reason": "",
                "created_at": now,
                "next_attempt_at": now,
                "expires_at": new.expires_at,
            },
        )

    def report_unreadable(self, session: Session, *, agency_id: str, payment_id: str, agent_id: str) -> None:
        """Tells that a letter came too late to be sent."""
        failed = DeliveryFailed(
            delivery_id=new_id("dlv"),
            kind=UNREADABLE,
            payment_id=payment_id,
            agent_id=agent_id,
            reason="The mail had expired before it could be sent. Please ask for a new one.",
        )
        failed.at.FromDatetime(self._clock.now())
        self._outbox.add(session, failed, aggregate_id=failed.delivery_id, agency_id=agency_id)

    def claim(self, session: Session, *, lapsed: datetime | None) -> DeliveryColumns | None:
        """Takes the delivery that has waited longest, in flight under a lease; None when nothing is due.

        Claims of others that ran out before `lapsed` are taken over; None: none is.
        """
        for _ in range(_UNWANTED_AT_ONCE):
            # Several senders may see the same row: the lock, and the condition again, let one of them have it.
            now = self._clock.now()
            row = session.connection().execute(_CLAIM, {"now": now, "until": now + LEASE, "lapsed": lapsed}).first()
            if row is None or self._wanted(session, row):
                return row
        return None

    def _wanted(self, session: Session, row: DeliveryColumns) -> bool:
        """Whether the mail is still to leave. One that is not wanted any more is dropped; one whose room can't tell
        waits, with the usual end to its patience, and stands in nobody's way."""
        follower = self._followers.get(row.template)
        if follower is None:
            return True
        try:
            with session.begin_nested():
                wanted = follower.wanted(session, row.source_key)
        except SQLAlchemyError:
            raise
        except Exception:
            log.exception("delivery.follower_failed", delivery_id=row.id, mail=row.template)
            stumbled = Stumbled(reason="Whether the e-mail was still due could not be found out.")
            self.finish(session, row.id, row.attempts, stumbled, tell_follower=False)
            return False
        if not wanted:
            session.connection().execute(delete(_TABLE).where(_TABLE.c.id == row.id))
        return wanted

    def finish(
        self, session: Session, delivery_id: str, attempts: int, outcome: Outcome, *, tell_follower: bool = True
    ) -> Next | None:
        """Writes down how a try went, with its event; None when another process has taken the delivery over."""
        row = session.connection().execute(_HELD, {"delivery_id": delivery_id}).first()
        if row is None or row.state != DeliveryState.IN_FLIGHT.value or row.attempts != attempts:
            return None
        now = self._clock.now()
        following = after_try(outcome, attempts=attempts, now=now, expires_at=row.expires_at)
        change: dict[str, Any] = {
            "state": following.state.value,
            "last_reason": following.reason[:300],
            "lease_until": None,
        }
        if following.next_attempt_at is not None:
            change["next_attempt_at"] = following.next_attempt_at
        else:
            # What was sealed, and what was attached, has no more use here.
            change |= {"finished_at": now, "sealed_letter": None, "attachment": None, "copies": None}
        session.connection().execute(_CHANGE.values(change), {"delivery_id": delivery_id})
        if following.next_attempt_at is not None:
            return following
        self._tell(session, row, following, now)
        if tell_follower and (follower := self._followers.get(row.template)):
            follower.finished(session, row.source_key, following.state, following.reason)
        return following

    def _tell(self, session: Session, row: DeliveryColumns, following: Next, now: datetime) -> None:
        if following.state is DeliveryState.SENT:
            sent = DeliverySent(
                delivery_id=row.id,
                kind=row.template,
                payment_id=row.payment_id,
                link_id=row.link_id,
                agent_id=row.agent_id,
                address=row.address,
            )
            sent.at.FromDatetime(now)
            self._outbox.add(session, sent, aggregate_id=row.id, agency_id=row.agency_id)
            return
        failed = DeliveryFailed(
            delivery_id=row.id,
            kind=row.template,
            payment_id=row.payment_id,
            link_id=row.link_id,
            agent_id=row.agent_id,
            reason=following.reason,
            address_hint=row.address_hint,
            address=row.address,
        )
        failed.at.FromDatetime(now)
        self._outbox.add(session, failed, aggregate_id=row.id, agency_id=row.agency_id)

    def waiting(self, session: Session) -> int:
        """How many deliveries are not finished (for metrics)."""
        open_states = (DeliveryState.QUEUED.value, DeliveryState.IN_FLIGHT.value)
        return session.scalar(select(func.count()).select_from(Delivery).where(Delivery.state.in_(open_states))) or 0
