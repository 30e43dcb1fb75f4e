"""A client's row as the rooms see it."""

from services.crm.sales.clients.models import ClientRow
from services.crm.sales.clients.rules import ClientData, ClientDetail


def detail_of(row: ClientRow) -> ClientDetail:
    """A row as the rooms see it."""
    return ClientDetail(
        id=row.id,
        agency_id=row.agency_id,
        agent_id=row.agent_id,
        data=data_of(row),
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )


def data_of(row: ClientRow) -> ClientData:
    """What was entered, as it stands."""
    return ClientData(
        first_name=row.first_name,
        last_name=row.last_name,
        email=row.email,
        phone=row.phone,
        second_phone=row.second_phone,
        birthday=row.birthday,
        street=row.street,
        city=row.city,
        region=row.region,
        postal_code=row.postal_code,
        country=row.country,
        notes=row.notes,
    )
