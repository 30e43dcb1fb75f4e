"""What the clients room does on client.profile_changed: field by field the newer change wins (P6).

A field that the client did not touch is left as their agent has it; where both changed one, the later moment decides.
Each row of family and occasions counts as a field, so what both sides added meanwhile is there in the end.
What a field held before stays readable at the mark that the profile shows. The decision goes back to the portal as
client.saved, so both sides end with the same profile whichever change was on its way first.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.clock import Clock
from chassis.ids import new_id
from chassis.timestamps import moment_of
from chassis.typed.days import day_from as _day
from chassis.typed.text import clean_line, has_letter
from protos.wayvault.events.v1.events_pb2 import ClientProfile, ClientProfileChanged
from protos.wayvault.events.v1.events_pb2 import FamilyMember as WireMember
from protos.wayvault.events.v1.events_pb2 import Occasion as WireOccasion
from services.crm.sales.clients.changes import changed_at, family_field, note_change, occasion_field
from services.crm.sales.clients.household import family_member, occasion, put_member, put_occasion
from services.crm.sales.clients.models import ClientRow, FamilyMemberRow, OccasionRow
from services.crm.sales.clients.rules import (
    BIRTHDAY_ID,
    UNKNOWN_YEAR,
    ChangedBy,
    ClientData,
    FamilyMember,
    Occasion,
    OccasionKind,
    ProfileField,
    Relation,
    changed_fields,
    columns_of,
    in_words,
    kind_of,
)
from services.crm.sales.clients.service import Clients, apply, current_client_id, data_of

_log = structlog.get_logger(__name__)
_ID = re.compile(r"[a-z]{2,20}_[a-z2-7]{26}")
# A portal whose clock runs ahead may not make its changes win for ever.
_AHEAD = timedelta(minutes=2)
_NEVER = datetime.min.replace(tzinfo=UTC)


class UnknownClient(Exception):
    """An event names a client that the CRM never had: a dead letter for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChanges:
    """Takes the client's own changes over. A handler is safe to run again."""

    clients: Clients
    clock: Clock

    def register(self, handlers: EventHandlers) -> None:
        """Adds this room's handlers."""
        handlers.on(ClientProfileChanged, self.profile_changed)

    def profile_changed(self, session: Session, message: ClientProfileChanged, meta: EventMeta) -> None:
        """The client changed their profile in the portal."""
        profile = message.profile
        client_id = current_client_id(session, profile.client.id)
        row = session.get(ClientRow, client_id, with_for_update=True)
        if row is None or row.agency_id != meta.agency_id:
            raise UnknownClient(profile.client.id)
        # A merge may have been committed while the lock was waited for.
        if row.merged_into_id is not None:
            row = session.get_one(ClientRow, row.merged_into_id, with_for_update=True)
        moments = _Moments(
            profile=profile, ours=changed_at(session, row.id), latest=self.clock.now() + _AHEAD, sent=meta.occurred_at
        )
        changed = _take_fields(session, row, profile, moments)
        changed |= _take_family(session, row.id, profile, moments)
        changed |= _take_occasions(session, row.id, profile, moments)
        if changed:
            row.updated_at = self.clock.now()
            _log.info("client.changed_by_client", client_id=row.id)
        self.clients.saved(session, row)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moments:
    """When the client changed what, and when we did."""

    profile: ClientProfile
    ours: Mapping[str, datetime]
    latest: datetime
    sent: datetime

    def theirs(self, field: str) -> datetime | None:
        """When the client changed a field; None = they did not."""
        named = self.profile.field_changed_at
        if named:
            return min(moment_of(named[field]), self.latest) if field in named else None
        has_moment = self.profile.HasField("changed_at")
        return min(moment_of(self.profile.changed_at) if has_moment else self.sent, self.latest)

    def newer(self, field: str) -> datetime | None:
        """When the client changed a field, if that is the newer change; else None."""
        theirs = self.theirs(field)
        return theirs if theirs is not None and theirs > self.ours.get(field, _NEVER) else None

    def of_row(self, field: str, row: FamilyMemberRow | OccasionRow | None) -> datetime | None:
        """When the client wrote a row of a list, if nobody changed it or took it away later; else None."""
        at = self.newer(field)
        return None if at is not None and row is not None and row.changed_at >= at else at

    def of_removal(self, field: str, row: FamilyMemberRow | OccasionRow) -> datetime | None:
        """When the client took a row away. One that they do not name they may never have seen: it stays."""
        return self.of_row(field, row) if field in self.profile.field_changed_at else None


def _take_fields(session: Session, row: ClientRow, profile: ClientProfile, moments: _Moments) -> bool:
    old = data_of(row)
    wanted = _data(profile, old)
    merged = old
    for field in changed_fields(old, wanted):
        at = moments.newer(field.value)
        if at is None:
            continue
        merged = replace(merged, **{name: getattr(wanted, name) for name in columns_of(field)})
        note_change(session, row.id, field.value, was=in_words(old, field), by=ChangedBy.CLIENT, at=at)
    if not merged.first_name and not merged.last_name:
        # Agent and client each moved the only name into the other field.
        merged = replace(merged, first_name=old.first_name, last_name=old.last_name)
    if merged == old:
        return False
    apply(row, merged, at=row.updated_at)
    return True


def _data(profile: ClientProfile, old: ClientData) -> ClientData:
    """The profile as the client wants it. What they can't see (notes, second phone) stays, and so does the name where
    none was left."""
    client, address = profile.client, profile.address
    first_name, last_name = _line(client.first_name, 80), _line(client.last_name, 80)
    if not has_letter(first_name + last_name):
        first_name, last_name = old.first_name, old.last_name
    birthday = next((each for each in profile.occasions if each.id == BIRTHDAY_ID), None)
    return replace(
        old,
        first_name=first_name,
        last_name=last_name,
        email=_line(client.email, 254),
        phone=_line(client.phone, 40),
        street=_line(", ".join(part for part in (address.line1, address.line2) if part), 200),
        city=_line(address.city, 100),
        region=_line(address.region, 100),
        postal_code=_line(address.postal_code, 20),
        country=_line(address.country, 2).upper(),
        birthday=(_day(birthday.on) or old.birthday) if birthday else None,
    )


def _take_family(session: Session, client_id: str, profile: ClientProfile, moments: _Moments) -> bool:
    rows = session.scalars(select(FamilyMemberRow).where(FamilyMemberRow.client_id == client_id).with_for_update())
    known = {row.id: row for row in rows}
    changed: list[_Changed] = []
    for wire in profile.family:
        row, at = known.get(wire.id), moments.of_row(family_field(wire.id), known.get(wire.id))
        member = _member(wire)
        if at is None or not member.name or (row is not None and family_member(row) == member):
            continue
        put_member(session, client_id, replace(member, id=_free_id(session, FamilyMemberRow, row, wire.id)), at=at)
        changed.append(_Changed(at=at, words=member.name))
    for row_id in known.keys() - {wire.id for wire in profile.family}:
        row = known[row_id]
        at = moments.of_removal(family_field(row_id), row)
        if at is not None:
            session.delete(row)
            gone = family_member(row).called
            note_change(session, client_id, family_field(row_id), was=gone, by=ChangedBy.CLIENT, at=at)
            changed.append(_Changed(at=at, words=f"{gone} (taken out)"))
    return _mark_list(session, client_id, ProfileField.FAMILY, changed)


def _take_occasions(session: Session, client_id: str, profile: ClientProfile, moments: _Moments) -> bool:
    rows = session.scalars(select(OccasionRow).where(OccasionRow.client_id == client_id).with_for_update())
    known = {row.id: row for row in rows}
    changed: list[_Changed] = []
    for wire in profile.occasions:
        row, at = known.get(wire.id), moments.of_row(occasion_field(wire.id), known.get(wire.id))
        wanted = _occasion(wire, row)
        if wire.id == BIRTHDAY_ID or at is None or wanted is None or (row is not None and occasion(row) == wanted):
            continue
        put_occasion(session, client_id, replace(wanted, id=_free_id(session, OccasionRow, row, wire.id)), at=at)
        changed.append(_Changed(at=at, words=wanted.label))
    for row_id in known.keys() - {wire.id for wire in profile.occasions}:
        row = known[row_id]
        at = moments.of_removal(occasion_field(row_id), row)
        if at is not None:
            session.delete(row)
            note_change(session, client_id, occasion_field(row_id), was=row.label, by=ChangedBy.CLIENT, at=at)
            changed.append(_Changed(at=at, words=f"{row.label} (taken out)"))
    return _mark_list(session, client_id, ProfileField.OCCASIONS, changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """What the client did to a row of a list, in words, and when."""

    at: datetime
    words: str


def _mark_list(session: Session, client_id: str, field: ProfileField, changed: list[_Changed]) -> bool:
    """Lets the profile show that a list changed; returns whether it did."""
    if changed:
        words = ", ".join(each.words for each in changed)
        note_change(
            session, client_id, field.value, was=words, by=ChangedBy.CLIENT, at=max(each.at for each in changed)
        )
    return bool(changed)


def _free_id(
    session: Session,
    kind: type[FamilyMemberRow] | type[OccasionRow],
    row: FamilyMemberRow | OccasionRow | None,
    wanted: str,
) -> str:
    """The id that the portal gave, unless it is no id at all or another client's."""
    if row is not None:
        return row.id
    prefix = "family" if kind is FamilyMemberRow else "occasion"
    return wanted if _ID.fullmatch(wanted) and session.get(kind, wanted) is None else new_id(prefix)


def _member(wire: WireMember) -> FamilyMember:
    relation = Relation(wire.relation) if wire.relation in list(Relation) else Relation.OTHER
    return FamilyMember(
        id=wire.id,
        first_name=_line(wire.first_name, 80),
        last_name=_line(wire.last_name, 80),
        relation=relation,
        born_on=_day(wire.born_on),
    )


def _occasion(wire: WireOccasion, row: OccasionRow | None) -> Occasion | None:
    """None for what has no day or no name."""
    day, label = _day(wire.on), _line(wire.label, 80)
    if day is None or not label:
        return None
    kind = OccasionKind(row.kind) if row is not None and row.label == label else kind_of(label)
    first_on = day if wire.year_known else day.replace(year=UNKNOWN_YEAR)
    return Occasion(id=wire.id, kind=kind, label=label, first_on=first_on, year_known=wire.year_known)


def _line(text: str, length: int) -> str:
    """One line of what the client typed."""
    return clean_line(text)[:length].strip()
