"""No room forgets to say how its references to a client follow a merge (C4)."""

import pytest
from sqlalchemy import Column, ForeignKey, MetaData, String, Table

from chassis.db.references import Reference, forgotten
from services.crm.client_references import CLIENT_REFERENCES as IN_CRM
from services.crm.models import Base as CrmBase
from services.crm.sales.tasks.models import TaskRow
from services.notifier.client_references import CLIENT_REFERENCES as IN_NOTIFIER
from services.notifier.models import Base as NotifierBase
from services.portal.client_references import CLIENT_REFERENCES as IN_PORTAL
from services.portal.models import Base as PortalBase


@pytest.mark.parametrize(
    ("service", "metadata", "references"),
    [
        ("crm", CrmBase.metadata, IN_CRM),
        ("portal", PortalBase.metadata, IN_PORTAL),
        ("notifier", NotifierBase.metadata, IN_NOTIFIER),
    ],
)
def test_every_column_that_names_a_client_says_how_it_follows_a_merge(
    service: str, metadata: MetaData, references: tuple[Reference, ...]
) -> None:
    missing = forgotten(metadata, references)
    assert not missing, (
        f"These columns name a client: {', '.join(missing)}. Say in the room's references.py how they follow a merge "
        f"and add it to services/{service}/client_references.py."
    )


def test_a_column_is_found_by_its_name_or_by_its_foreign_key() -> None:
    metadata = MetaData()
    Table("client", metadata, Column("id", String, primary_key=True))
    Table("note", metadata, Column("payer_client_id", String), Column("about", ForeignKey("client.id")))
    assert forgotten(metadata, [Reference(column=TaskRow.client_id)]) == ["note.payer_client_id", "note.about"]
