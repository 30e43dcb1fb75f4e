"""The pages of the street of access, and how all others learn who is signed in."""

from flask import Blueprint, Flask

from services.crm.access.agency.views import blueprint as agency
from services.crm.access.auth.views import blueprint as auth
from services.crm.access.auth.views import signed_in_agent
from services.crm.access.public_pages.views import blueprint as public_pages
from services.crm.access.saved_views.views import blueprint as saved_views
from services.crm.core.web import join_sign_in

ROOMS: tuple[Blueprint, ...] = (auth, agency, public_pages, saved_views)


def join(app: Flask) -> None:
    """Adds what isn't a blueprint."""
    join_sign_in(app, signed_in_agent)
