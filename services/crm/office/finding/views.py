"""The search in the top bar: a list while one types, and a page of the same without scripts or on Enter."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from services.crm.core.addresses import typed_text
from services.crm.core.web import current_agent, login_required
from services.crm.office.parts import office

blueprint = Blueprint(
    "finding",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/finding",
)


@blueprint.get("/find")
@login_required
def show() -> ResponseReturnValue:
    """What the text finds: for htmx the options of the combobox, else a page."""
    text = typed_text()
    found = office().finder.find(current_agent(), text)
    template = "finding/_options.html" if "HX-Request" in request.headers else "finding/show.html"
    return render_template(template, found=found, text=text)
