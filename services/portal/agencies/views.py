"""An agency's logo: for everybody, as it stands on pages before any sign-in. Its address carries its hash."""

from flask import Blueprint, Response, abort

from services.portal.parts import portal

blueprint = Blueprint("agencies", __name__)

_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "Content-Security-Policy": "default-src 'none'"}


@blueprint.get("/agency/<agency_id>/<sha256>.png")
def logo(agency_id: str, sha256: str) -> Response:
    png = portal().agencies.logo(agency_id[:64], sha256[:64])
    if png is None:
        abort(404)
    return Response(png, mimetype="image/png", headers=_HEADERS)
