"""The panel of charges is part of the payment area; this blueprint brings its template."""

from flask import Blueprint

blueprint = Blueprint("charging", __name__, template_folder="templates")
