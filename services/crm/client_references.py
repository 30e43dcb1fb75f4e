"""Every column of the CRM that names a client, with how it follows when two profiles are merged (C4).

A room that keeps clients' ids says so in its references.py and is added here; rows are moved in this order, which
is the order of locks too. tests/architecture/test_client_references.py finds what a room forgot.
"""

from chassis.db.references import Reference
from services.crm.office.mail_outcomes.references import CLIENT_REFERENCES as MAIL_OUTCOMES
from services.crm.office.visits.references import CLIENT_REFERENCES as VISITS
from services.crm.paying.links.references import CLIENT_REFERENCES as LINKS
from services.crm.paying.payments.references import CLIENT_REFERENCES as PAYMENTS
from services.crm.paying.standing_orders.references import CLIENT_REFERENCES as STANDING_ORDERS
from services.crm.sales.clients.references import CLIENT_REFERENCES as CLIENTS
from services.crm.sales.groups.references import CLIENT_REFERENCES as GROUPS
from services.crm.sales.importing.references import CLIENT_REFERENCES as IMPORTS
from services.crm.sales.merging.references import CLIENT_REFERENCES as MERGING
from services.crm.sales.portal_access.references import CLIENT_REFERENCES as PORTAL_ACCESS
from services.crm.sales.tasks.references import CLIENT_REFERENCES as TASKS
from services.crm.signing.esign.references import CLIENT_REFERENCES as ESIGN
from services.crm.signing.insurance.references import CLIENT_REFERENCES as INSURANCE
from services.crm.trips.bookings.references import CLIENT_REFERENCES as BOOKINGS
from services.crm.trips.documents.references import CLIENT_REFERENCES as DOCUMENTS
from services.crm.trips.itinerary.references import CLIENT_REFERENCES as ITINERARIES
from services.crm.trips.quotes.references import CLIENT_REFERENCES as QUOTES

CLIENT_REFERENCES: tuple[Reference, ...] = (
    *BOOKINGS,
    *PAYMENTS,
    *LINKS,
    *STANDING_ORDERS,
    *DOCUMENTS,
    *ITINERARIES,
    *ESIGN,
    *INSURANCE,
    *VISITS,
    *TASKS,
    *PORTAL_ACCESS,
    *QUOTES,
    *MAIL_OUTCOMES,
    *CLIENTS,
    *GROUPS,
    *IMPORTS,
    *MERGING,
)
