"""Every column that names a client, with how it follows when two profiles are merged (C4).

A room that keeps clients' ids adds its columns here; tests/architecture/test_client_references.py finds what it forgot.
"""

from chassis.db.references import Reference
from services.portal.account.references import CLIENT_REFERENCES as ACCOUNTS
from services.portal.documents.references import CLIENT_REFERENCES as DOCUMENTS
from services.portal.esign.references import CLIENT_REFERENCES as ESIGN
from services.portal.links.references import CLIENT_REFERENCES as LINKS
from services.portal.payments.references import CLIENT_REFERENCES as PAYMENTS
from services.portal.profile.references import CLIENT_REFERENCES as PROFILES
from services.portal.standing_orders.references import CLIENT_REFERENCES as STANDING_ORDERS
from services.portal.trips.references import CLIENT_REFERENCES as TRIPS
from services.portal.visits.references import CLIENT_REFERENCES as VISITS

CLIENT_REFERENCES: tuple[Reference, ...] = (
    *ACCOUNTS,
    *PROFILES,
    *ESIGN,
    *LINKS,
    *PAYMENTS,
    *STANDING_ORDERS,
    *TRIPS,
    *DOCUMENTS,
    *VISITS,
)
