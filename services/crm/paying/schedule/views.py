"""The schedule's part of other rooms' pages: `schedule/schedule.html`."""

from flask import Blueprint

blueprint = Blueprint("schedule", __name__, template_folder="templates")
