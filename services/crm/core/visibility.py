"""Which rows an actor sees, as a condition of a query and for what was read."""

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import InstrumentedAttribute

from services.crm.core.actor import Actor


def visible_to(
    actor: Actor,
    agency_id: InstrumentedAttribute[str] | ColumnElement[str],
    agent_id: InstrumentedAttribute[str] | ColumnElement[str],
) -> ColumnElement[bool]:
    """The one rule of what is visible: agents see their own objects, admins those of the whole agency [8.2.2]."""
    own_agency = agency_id == actor.agency_id
    return own_agency if actor.is_admin else and_(own_agency, agent_id == actor.agent_id)


def is_visible(actor: Actor, agency_id: str, agent_id: str) -> bool:
    """The same rule for a value that was read already."""
    return agency_id == actor.agency_id and (actor.is_admin or actor.owns(agent_id))
