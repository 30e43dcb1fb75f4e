"""Every column that names a client, with how it follows when two profiles are merged (C4).

A room that keeps clients' ids adds its columns here; tests/architecture/test_client_references.py finds what it forgot.
"""

from chassis.db.references import Reference
from services.notifier.reminders.references import CLIENT_REFERENCES as REMINDERS

CLIENT_REFERENCES: tuple[Reference, ...] = (*REMINDERS,)
