"""What the room publishes."""

from protos.wayvault.events.v1 import events_pb2
from services.crm.access.agency.rules import AgencyDetail, AgentDetail


def agency_snapshot(agency: AgencyDetail) -> events_pb2.Agency:
    """The agency as events carry one."""
    return events_pb2.Agency(
        id=agency.id,
        name=agency.data.name,
        accent_colour=agency.data.accent_colour,
        phone=agency.data.phone,
        email=agency.data.email,
        time_zone=agency.data.time_zone,
        paper=agency.data.paper,
    )


def agent_snapshot(agent: AgentDetail) -> events_pb2.Agent:
    """The agent as events carry one."""
    return events_pb2.Agent(
        id=agent.id,
        name=agent.data.name,
        email=agent.data.email,
        phone=agent.data.phone,
        time_zone=agent.data.time_zone,
    )


def policy_snapshot(agency: AgencyDetail) -> events_pb2.Policy:
    """How long the agency lets cards and CVVs live (M11)."""
    return events_pb2.Policy(
        card_retention_days=agency.data.card_retention_days, cvv_retention_hours=agency.data.cvv_retention_hours
    )


def agency_saved(agency: AgencyDetail, logo: bytes) -> events_pb2.AgencySaved:
    return events_pb2.AgencySaved(agency=agency_snapshot(agency), logo=logo, logo_sha256=agency.logo_sha256)


def agent_saved(agent: AgentDetail, agency: AgencyDetail) -> events_pb2.AgentSaved:
    return events_pb2.AgentSaved(agent=agent_snapshot(agent), agency=agency_snapshot(agency), active=agent.data.active)
