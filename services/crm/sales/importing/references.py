"""What imports keep of clients stays as it was: it tells what an import did (C4, C15)."""

from chassis.db.references import Reference
from services.crm.sales.importing.models import ClientImportItemRow, ClientImportPairRow

CLIENT_REFERENCES = (
    Reference(column=ClientImportItemRow.client_id, stays=True),
    Reference(column=ClientImportPairRow.client_id, stays=True),
)
