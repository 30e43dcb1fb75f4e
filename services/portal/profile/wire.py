"""Profiles as events carry them."""

from collections.abc import Iterable
from datetime import datetime

from chassis.timestamps import moment_of
from chassis.typed.days import day_from
from protos.wayvault.common.v1.common_pb2 import PostalAddress
from protos.wayvault.events.v1 import events_pb2
from services.portal.profile.rules import (
    BIRTHDAY_ID,
    UNKNOWN_YEAR,
    Address,
    FamilyMember,
    Occasion,
    Profile,
    Relation,
)


def read_profile(wire: events_pb2.ClientProfile) -> Profile:
    """What the CRM (or an own row) says. What can't be read as a day is left out."""
    days = {occasion.id: day_from(occasion.on) for occasion in wire.occasions}
    return Profile(
        first_name=wire.client.first_name,
        last_name=wire.client.last_name,
        email=wire.client.email,
        phone=wire.client.phone,
        address=Address(
            street=", ".join(part for part in (wire.address.line1, wire.address.line2) if part),
            city=wire.address.city,
            region=wire.address.region,
            postal_code=wire.address.postal_code,
            country=wire.address.country,
        ),
        birthday=days.get(BIRTHDAY_ID),
        family=tuple(_read_member(member) for member in wire.family),
        occasions=tuple(_read_occasions(wire.occasions)),
    )


def read_moments(wire: events_pb2.ClientProfile) -> dict[str, datetime]:
    """When the sender knew each field to be changed."""
    return {name: moment_of(at) for name, at in wire.field_changed_at.items()}


def write_profile(client_id: str, profile: Profile) -> events_pb2.ClientProfile:
    """The profile without its moments."""
    address = profile.address
    occasions = [
        events_pb2.Occasion(id=each.id, label=each.label, on=each.on.isoformat(), year_known=each.year_known)
        for each in profile.occasions
    ]
    if profile.birthday is not None:
        birthday = events_pb2.Occasion(
            id=BIRTHDAY_ID, label="Birthday", on=profile.birthday.isoformat(), year_known=True
        )
        occasions.insert(0, birthday)
    return events_pb2.ClientProfile(
        client=events_pb2.Client(
            id=client_id,
            first_name=profile.first_name,
            last_name=profile.last_name,
            email=profile.email,
            phone=profile.phone,
        ),
        address=PostalAddress(
            line1=address.street,
            city=address.city,
            region=address.region,
            postal_code=address.postal_code,
            country=address.country,
        ),
        occasions=occasions,
        family=[
            events_pb2.FamilyMember(
                id=each.id,
                first_name=each.first_name,
                last_name=each.last_name,
                relation=each.relation.value,
                born_on=each.born_on.isoformat() if each.born_on else "",
            )
            for each in profile.family
        ],
    )


def _read_member(wire: events_pb2.FamilyMember) -> FamilyMember:
    return FamilyMember(
        id=wire.id,
        first_name=wire.first_name,
        last_name=wire.last_name,
        relation=Relation(wire.relation) if wire.relation in list(Relation) else Relation.OTHER,
        born_on=day_from(wire.born_on),
    )


def _read_occasions(wires: Iterable[events_pb2.Occasion]) -> Iterable[Occasion]:
    for wire in wires:
        day = day_from(wire.on)
        if wire.id == BIRTHDAY_ID or day is None:
            continue
        on = day if wire.year_known else day.replace(year=UNKNOWN_YEAR)
        yield Occasion(id=wire.id, label=wire.label, on=on, year_known=wire.year_known)
