"""The record of merges tells history: it does not follow."""

from chassis.db.references import Reference
from services.crm.sales.merging.models import ClientMergeRow

CLIENT_REFERENCES = (
    Reference(column=ClientMergeRow.kept_client_id, stays=True),
    Reference(column=ClientMergeRow.merged_client_id, stays=True),
)
