"""What the clients room publishes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import PostalAddress
from protos.wayvault.events.v1 import events_pb2
from services.crm.access.agency.service import AgencyDetail, AgentDetail, agency_snapshot, agent_snapshot
from services.crm.sales.clients.rules import BIRTHDAY_ID, ClientDetail, FamilyMember, Household, Occasion


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a profile's events carry beside the client: their household, when what changed, and who looks after them."""

    household: Household
    field_changed_at: Mapping[str, datetime]
    agent: AgentDetail
    agency: AgencyDetail


def client_snapshot(client: ClientDetail) -> events_pb2.Client:
    """The client as events carry one."""
    return events_pb2.Client(
        id=client.id,
        first_name=client.data.first_name,
        last_name=client.data.last_name,
        email=client.data.email,
        phone=client.data.phone,
    )


def profile_snapshot(client: ClientDetail, around: Surroundings) -> events_pb2.ClientProfile:
    """What the client sees of their own profile in the portal (P6): no notes, no second phone."""
    data = client.data
    birthday = events_pb2.Occasion(id=BIRTHDAY_ID, label="Birthday", year_known=True)
    if data.birthday:
        birthday.on = data.birthday.isoformat()
    return events_pb2.ClientProfile(
        client=client_snapshot(client),
        address=PostalAddress(
            line1=data.street, city=data.city, region=data.region, postal_code=data.postal_code, country=data.country
        ),
        occasions=([birthday] if data.birthday else []) + [_occasion(each) for each in around.household.occasions],
        family=[_family_member(each) for each in around.household.family],
        changed_at=stamp(client.updated_at),
        field_changed_at={field: stamp(at) for field, at in around.field_changed_at.items()},
    )


def client_saved(client: ClientDetail, around: Surroundings) -> events_pb2.ClientSaved:
    return events_pb2.ClientSaved(
        client=client_snapshot(client),
        agent_id=client.agent_id,
        profile=profile_snapshot(client, around),
        agent=agent_snapshot(around.agent),
        agency=agency_snapshot(around.agency),
    )


def client_merged(kept: ClientDetail, merged_id: str, around: Surroundings) -> events_pb2.ClientMerged:
    return events_pb2.ClientMerged(
        kept_client_id=kept.id,
        merged_client_id=merged_id,
        profile=profile_snapshot(kept, around),
        agent_id=kept.agent_id,
    )


def _occasion(occasion: Occasion) -> events_pb2.Occasion:
    return events_pb2.Occasion(
        id=occasion.id, label=occasion.label, on=occasion.first_on.isoformat(), year_known=occasion.year_known
    )


def _family_member(member: FamilyMember) -> events_pb2.FamilyMember:
    return events_pb2.FamilyMember(
        id=member.id,
        first_name=member.first_name,
        last_name=member.last_name,
        relation=member.relation.value,
        born_on=member.born_on.isoformat() if member.born_on else "",
    )


def client_removed(client_id: str) -> events_pb2.ClientRemoved:
    return events_pb2.ClientRemoved(client_id=client_id)
