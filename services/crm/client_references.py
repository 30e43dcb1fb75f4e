"""Every column of the CRM that names a client, with how it follows when two profiles are merged (C4).

A room that keeps clients' ids says so in its references.py and is added here; rows are moved in this order, which
is the order of locks too. tests/architecture/test_client_references.py finds what a room forgot.
"""

from chassis.db.references import Reference
from services.crm.bookings.references import CLIENT_REFERENCES as BOOKINGS
from services.crm.clients.references import CLIENT_REFERENCES as CLIENTS
from services.crm.documents.references import CLIENT_REFERENCES as DOCUMENTS
from services.crm.esign.references import CLIENT_REFERENCES as ESIGN
from services.crm.insurance.references import CLIENT_REFERENCES as INSURANCE
from services.crm.links.references import CLIENT_REFERENCES as LINKS
from services.crm.merging.references import CLIENT_REFERENCES as MERGING
from services.crm.payments.references import CLIENT_REFERENCES as PAYMENTS
from services.crm.portal_access.references import CLIENT_REFERENCES as PORTAL_ACCESS
from services.crm.quotes.references import CLIENT_REFERENCES as QUOTES
from services.crm.tasks.references import CLIENT_REFERENCES as TASKS

CLIENT_REFERENCES: tuple[Reference, ...] = (
    *BOOKINGS,
    *PAYMENTS,
    *LINKS,
    *DOCUMENTS,
    *ESIGN,
    *INSURANCE,
    *TASKS,
    *PORTAL_ACCESS,
    *QUOTES,
    *CLIENTS,
    *MERGING,
)
