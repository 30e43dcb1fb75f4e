"""How signing requests follow when two clients are merged (C4)."""

from chassis.db.references import Reference
from services.crm.signing.esign.models import SignRequestRow

CLIENT_REFERENCES = (Reference(column=SignRequestRow.client_id, words="signatures"),)
