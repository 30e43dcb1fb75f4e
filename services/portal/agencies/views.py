"""An agency's logo: for everybody, as it stands on pages before any sign-in. Its address carries its hash."""

from typing import cast

from flask import Blueprint, Response, abort, current_app

from services.portal.agencies.service import Agencies

EXTENSION = "portal_agencies"
blueprint = Blueprint("agencies", __name__)

_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "Content-Security-Policy": "default-src 'none'"}


def agencies() -> Agencies:
    """The agencies of this app."""
    return cast(Agencies, current_app.extensions[EXTENSION])


@blueprint.get("/agency/<agency_id>/<sha256>.png")
def logo(agency_id: str, sha256: str) -> Response:
    png = agencies().logo(agency_id[:64], sha256[:64])
    if png is None:
        abort(404)
    return Response(png, mimetype="image/png", headers=_HEADERS)
