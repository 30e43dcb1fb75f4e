"""Use cases of merging: find who could be meant, show what would happen, do it, and look after latecomers.

Locks are taken in one order: bookings, payments, then the two profiles, each by id. Who writes a booking or a payment
of a client locks those before the profile's row too (by its foreign key), so a merge waits for an authorization that is
under way and follows up on what it wrote.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.db.references import Reference, move_all
from chassis.errors import InvalidArgument
from chassis.ids import new_id
from services.crm.core.actor import Actor
from services.crm.core.errors import ChangedMeanwhile
from services.crm.sales.clients.models import ClientRow
from services.crm.sales.clients.rules import ChangedBy, ProfileField, changed_fields
from services.crm.sales.clients.service import (
    ClientDetail,
    Clients,
    apply,
    current_client_id,
    data_of,
    detail_of,
    note_changes,
    own_row,
    times_of_changes,
)
from services.crm.sales.merging.models import ClientMergeRow
from services.crm.sales.merging.rules import Choice, Side, choices, given_up, merged_data

_log = structlog.get_logger(__name__)
_DEADLOCK = "40P01"
_ATTEMPTS = 4
# How long somebody's open transaction may still write the old id after a merge.
_LATE = timedelta(hours=1)
_CANDIDATES = 8

Lock = Callable[[Session, Collection[str]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a merge would do. `following` is what the other profile brings along, by words."""

    kept: ClientDetail
    other: ClientDetail
    choices: Sequence[Choice]
    following: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRecord:
    """Who merged what and when."""

    agent_name: str
    kept_name: str
    merged_name: str
    given_up: Mapping[str, str]
    followed: Mapping[str, int]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Followers:
    """What other streets keep of a client and do at a merge: their locks, in the order in which they are taken, the
    bookings that a client is on, and how those are published anew."""

    locks: Sequence[Lock]
    bookings_of: Callable[[Session, str], Collection[str]]
    tell_bookings: Callable[[Session, Collection[str]], None]


class Merges:
    """The merging room's use cases."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        clients: Clients,
        references: Sequence[Reference],
        followers: Followers,
    ) -> None:
        self._database = database
        self._clock = clock
        self._clients = clients
        self._references = tuple(references)
        self._followers = followers

    def candidates(self, actor: Actor, client_id: str, text: str) -> list[ClientDetail]:
        """Who could be the same person: by what was typed, or else by the same name or e-mail address."""
        client = self._clients.get_own(actor, client_id)
        if text:
            found = [each for each in self._clients.search(actor, text) if actor.owns(each.agent_id)]
        else:
            found = self._lookalikes(client)
        return [each for each in found if each.id != client_id]

    def preview(self, actor: Actor, kept_id: str, other_id: str) -> Preview:
        """Raises NotFound, PermissionDenied, or InvalidArgument for a profile and itself."""
        _two(kept_id, other_id)
        with self._database.read() as session:
            kept = detail_of(own_row(session, actor, kept_id))
            other = detail_of(own_row(session, actor, other_id))
            return Preview(
                kept=kept,
                other=other,
                choices=choices(kept, other, times_of_changes(session, kept_id), times_of_changes(session, other_id)),
                following=self._following(session, other_id),
            )

    def merge(
        self,
        actor: Actor,
        kept_id: str,
        other_id: str,
        sides: Mapping[ProfileField, Side],
        *,
        versions: tuple[int, int],
    ) -> ClientDetail:
        """Makes two profiles one, in one transaction; `versions` are those of kept and other that the preview showed.

        Raises NotFound, PermissionDenied, InvalidArgument or ChangedMeanwhile.
        """
        _two(kept_id, other_id)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._database.transaction() as session:
                    self._lock(session, (kept_id, other_id))
                    kept, other = own_row(session, actor, kept_id), own_row(session, actor, other_id)
                    if (kept.version, other.version) != versions:
                        raise ChangedMeanwhile
                    return self._merge(session, actor, kept, other, sides)
            except DBAPIError as error:
                # The other transaction won; this one left nothing behind.
                if getattr(error.orig, "sqlstate", "") != _DEADLOCK or attempt == _ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def settle(self) -> int:
        """Lets follow what was written under a merged id by a transaction that overlapped the merge. Returns how many
        merges had such latecomers."""
        since = self._clock.now() - _LATE
        with self._database.read() as session:
            recent = session.scalars(
                select(ClientMergeRow.merged_client_id).where(ClientMergeRow.at >= since).order_by(ClientMergeRow.at)
            ).all()
            late = [merged_id for merged_id in recent if self.is_referred(session, merged_id)]
        for merged_id in late:
            with self._database.transaction() as session:
                self._lock(session, (merged_id,))
                moved = self._move(session, current_client_id(session, merged_id), merged_id)
            _log.info("client.latecomers_followed", client_id=merged_id, rows=sum(moved.values()))
        return len(late)

    def history(self, actor: Actor, client_id: str) -> list[MergeRecord]:
        """The merges that made a profile what it is, the newest first. Raises NotFound."""
        with self._database.read() as session:
            self._clients.load(session, actor, client_id)
            rows = session.scalars(
                select(ClientMergeRow)
                .join(ClientRow, ClientRow.id == ClientMergeRow.merged_client_id)
                .where(ClientRow.merged_into_id == client_id)
                .order_by(ClientMergeRow.at.desc(), ClientMergeRow.id)
            )
            return [_record(row) for row in rows]

    def _merge(
        self, session: Session, actor: Actor, kept: ClientRow, other: ClientRow, sides: Mapping[ProfileField, Side]
    ) -> ClientDetail:
        kept_id, other_id = kept.id, other.id
        if kept.agent_id != other.agent_id:
            raise InvalidArgument("Both profiles must have the same agent.")
        now, old, lost = self._clock.now(), data_of(kept), data_of(other)
        data = merged_data(old, lost, sides)
        other.merged_into_id, other.updated_at = kept_id, now
        session.flush()
        followed = self._move(session, kept_id, other_id)
        note_changes(session, kept_id, changed_fields(old, data), old, by=ChangedBy.AGENT, at=now)
        apply(kept, data, at=now)
        session.add(
            ClientMergeRow(
                id=new_id("merge"),
                agency_id=kept.agency_id,
                agent_id=actor.agent_id,
                agent_name=actor.name,
                kept_client_id=kept_id,
                kept_name=f"{old.first_name} {old.last_name}".strip(),
                merged_client_id=other_id,
                merged_name=f"{lost.first_name} {lost.last_name}".strip(),
                given_up=json.dumps(given_up(old, lost, data), ensure_ascii=False),
                followed=json.dumps(followed),
                at=now,
            )
        )
        self._clients.merged(session, kept, other_id)
        _log.info("client.merged", kept=kept_id, merged=other_id, agent_id=actor.agent_id)
        return self._clients.saved(session, kept)

    def _move(self, session: Session, kept_id: str, merged_id: str) -> dict[str, int]:
        bookings = self._followers.bookings_of(session, merged_id)
        moved = move_all(session, self._references, kept_id, merged_id)
        session.flush()
        self._followers.tell_bookings(session, bookings)
        return moved

    def _lock(self, session: Session, client_ids: Collection[str]) -> None:
        for lock in self._followers.locks:
            lock(session, client_ids)
        rows = select(ClientRow).where(ClientRow.id.in_(client_ids)).order_by(ClientRow.id)
        session.scalars(rows.with_for_update().execution_options(populate_existing=True)).all()

    def _lookalikes(self, client: ClientDetail) -> list[ClientDetail]:
        found: dict[str, ClientDetail] = {}
        with self._database.read() as session:
            found |= {each.id: each for each in self._clients.with_the_name_of(session, client)[:_CANDIDATES]}
            if client.email:
                rows = session.scalars(
                    select(ClientRow)
                    .where(
                        ClientRow.agent_id == client.agent_id,
                        ClientRow.merged_into_id.is_(None),
                        func.lower(ClientRow.email) == client.email.lower(),
                    )
                    .order_by(ClientRow.created_at, ClientRow.id)
                    .limit(_CANDIDATES)
                )
                found |= {row.id: detail_of(row) for row in rows}
        return list(found.values())

    def _following(self, session: Session, client_id: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        for reference in self._references:
            if reference.words:
                query = select(func.count()).where(reference.column == client_id)
                counts[reference.words] = counts.get(reference.words, 0) + (session.scalar(query) or 0)
        return {words: count for words, count in counts.items() if count}

    def is_referred(self, session: Session, client_id: str, *, but: Collection[type] = ()) -> bool:
        """Whether anything names the client that would follow a merge; rows of the classes `but` don't count."""
        return any(
            session.scalar(select(reference.column).where(reference.column == client_id).limit(1)) is not None
            for reference in self._references
            if not reference.stays and reference.column.class_ not in but
        )


def _two(kept_id: str, other_id: str) -> None:
    if kept_id == other_id:
        raise InvalidArgument("Choose two different clients to merge.")


def _record(row: ClientMergeRow) -> MergeRecord:
    return MergeRecord(
        agent_name=row.agent_name,
        kept_name=row.kept_name,
        merged_name=row.merged_name,
        given_up=json.loads(row.given_up),
        followed=json.loads(row.followed),
        at=row.at,
    )
