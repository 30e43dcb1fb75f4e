"""The page on which an agent finds their public page: its address and name, and what goes into their own website."""

import structlog
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from chassis.web.colour import DEFAULT_ACCENT, accent_for
from services.crm.access.activity.service import Act
from services.crm.access.parts import access
from services.crm.access.public_pages.forms import NameForm, WebsitesForm
from services.crm.access.public_pages.rules import button_snippet, button_text, frame_snippet
from services.crm.core.forms import attempt
from services.crm.core.origin import request_origin
from services.crm.core.parts import core
from services.crm.core.qr import qr_code
from services.crm.core.web import current_agent, login_required

blueprint = Blueprint("public_pages", __name__, template_folder="templates", url_prefix="/public-page")
log = structlog.get_logger("crm.public_pages")


@blueprint.get("")
@login_required
def show() -> ResponseReturnValue:
    """The address, its name, and the snippets."""
    return _page()


@blueprint.post("/name")
@login_required
def choose_name() -> ResponseReturnValue:
    """Gives the page another name."""
    actor, form = current_agent(), NameForm()
    if form.validate_on_submit():
        page = attempt(form, lambda: access().public_pages.choose_name(actor, form.name.data or ""))
        if page is not None:
            _note(page.name)
            flash("Your page has its new name. The former address leads on to it.", "done")
            return redirect(url_for("public_pages.show"), 303)
    return _page(name_form=form), 422


@blueprint.post("/websites")
@login_required
def state_websites() -> ResponseReturnValue:
    """Says on which websites the form may stand."""
    actor, form = current_agent(), WebsitesForm()
    if form.validate_on_submit():
        page = attempt(form, lambda: access().public_pages.state_websites(actor, form.websites.data or ""))
        if page is not None:
            _note(", ".join(page.websites) or "on any website")
            flash("Saved. The form shows on these websites only." if page.websites else _ANY, "done")
            return redirect(url_for("public_pages.show", _anchor="page-websites"), 303)
    return _page(websites_form=form), 422


_ANY = "Saved. The form shows on any website."


def _page(*, name_form: NameForm | None = None, websites_form: WebsitesForm | None = None) -> str:
    actor = current_agent()
    page, agency = access().public_pages.of(actor), access().directory.agency(actor.agency_id)
    address = f"{core().settings.portal_url}/a/{page.name}"
    accent = accent_for(agency.data.accent_colour or DEFAULT_ACCENT, dark=False).accent
    stated = "\n".join(page.websites)
    return render_template(
        "public_pages/show.html",
        public_page=address,
        public_page_qr=qr_code(address),
        name_form=name_form or NameForm(formdata=None, data={"name": page.name}),
        websites_form=websites_form or WebsitesForm(formdata=None, data={"websites": stated}),
        button_text=button_text(actor.name),
        button=button_snippet(address, actor.name, accent),
        frame=frame_snippet(f"{address}/embed", actor.name),
    )


def _note(about: str) -> None:
    log.info("public_page.changed", agent_id=current_agent().agent_id)
    access().activities.note(current_agent(), Act.PUBLIC_PAGE_CHANGED, about, request_origin())
