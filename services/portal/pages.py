"""The pages of the portal, room by room."""

from flask import Blueprint

from services.portal.account.views import blueprint as account
from services.portal.agencies.views import blueprint as agencies
from services.portal.cvv.views import blueprint as cvv
from services.portal.documents.views import blueprint as documents
from services.portal.esign.views import blueprint as esign
from services.portal.following import blueprint as following
from services.portal.insurance.views import blueprint as insurance
from services.portal.itineraries.views import blueprint as itineraries
from services.portal.links.views import blueprint as links
from services.portal.payments import client_views as _client_views  # noqa: F401 - adds its pages to the blueprint
from services.portal.payments.views import blueprint as payments
from services.portal.profile.views import blueprint as profile
from services.portal.quotes.views import blueprint as quotes
from services.portal.registrations.views import blueprint as registrations
from services.portal.standing_orders.views import blueprint as standing_orders
from services.portal.trips.views import blueprint as trips
from services.portal.verify.views import blueprint as verify
from services.portal.visits.views import blueprint as visits

ROOMS: tuple[Blueprint, ...] = (
    agencies,
    following,
    links,
    payments,
    standing_orders,
    cvv,
    account,
    trips,
    documents,
    itineraries,
    esign,
    insurance,
    visits,
    verify,
    profile,
    quotes,
    registrations,
)
