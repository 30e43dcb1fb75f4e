"""How insurance offers follow when two clients are merged (C4)."""

from chassis.db.references import Reference
from services.crm.signing.insurance.models import InsuranceOfferRow

CLIENT_REFERENCES = (Reference(column=InsuranceOfferRow.client_id, words="insurance offers"),)
