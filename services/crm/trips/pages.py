"""The pages of the street of trips."""

from flask import Blueprint

from services.crm.trips.bookings.views import blueprint as bookings
from services.crm.trips.documents.views import blueprint as documents
from services.crm.trips.itinerary.views import blueprint as itinerary
from services.crm.trips.quotes.views import blueprint as quotes

ROOMS: tuple[Blueprint, ...] = (bookings, quotes, documents, itinerary)
