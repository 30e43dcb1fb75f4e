"""How tasks follow when two clients are merged (C4)."""

from chassis.db.references import Reference
from services.crm.sales.tasks.models import TaskRow

CLIENT_REFERENCES = (Reference(column=TaskRow.client_id, words="tasks"),)
