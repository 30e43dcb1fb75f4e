"""Pages of clients: search while typing, list, profile, form, CSV."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import NotFound
from chassis.web.formatting import country_choices
from services.crm.access.saved_views.pages import saved_bar
from services.crm.access.saved_views.service import SavedList
from services.crm.core.addresses import page_number, same_list, typed_text, with_same_filter
from services.crm.core.bulk import all_ticked, picked
from services.crm.core.export import table_response
from services.crm.core.forms import attempt, shallow
from services.crm.core.headings import Headings, asked_order
from services.crm.core.web import current_agent, login_required
from services.crm.sales.clients.forms import ClientForm
from services.crm.sales.clients.household_forms import RELATION_WORDS
from services.crm.sales.clients.panels import CLIENT_PAGE
from services.crm.sales.clients.rules import BELONGS_TITLES, LIST_TITLES, WORDS, changed_fields, in_words, list_cells
from services.crm.sales.clients.service import BY_NAME, CLIENT_KEYS, ClientDetail, ClientFilter, ClientMoved, ClientSort
from services.crm.sales.parts import sales

blueprint = Blueprint("clients", __name__, template_folder="templates", url_prefix="/clients")

_SORTS = ((ClientSort.NAME, "By name"), (ClientSort.NEWEST, "Newest first"), (ClientSort.CHANGED, "Last changed"))


def follow_merge(moved: ClientMoved) -> ResponseReturnValue:
    """An address of a profile that was merged leads to the one that stayed, for good (C4); a form is refused."""
    if request.method != "GET" or request.endpoint is None:
        return current_app.handle_user_exception(NotFound(moved.message))
    named = (request.view_args or {}).items()
    same: dict[str, Any] = {name: moved.kept_id if value == moved.merged_id else value for name, value in named}
    return redirect(url_for(request.endpoint, **same), 301)


@blueprint.get("/search")
@login_required
def search() -> ResponseReturnValue:
    """Answers while one types (a fragment for htmx); without scripts it leads to the list."""
    text = typed_text()
    if "HX-Request" not in request.headers:
        return redirect(url_for("clients.index", q=text or None), 303)
    found = sales().clients.search(current_agent(), text)
    return render_template("clients/_search.html", found=found, text=text)


@blueprint.get("")
@login_required
def index() -> ResponseReturnValue:
    """The list; its filter, order and page stay in the address."""
    wanted = _filter()
    page = sales().clients.list_page(current_agent(), wanted, page_number())
    return render_template(
        "clients/index.html",
        page=page,
        wanted=wanted,
        sort=(sort := Headings(wanted.order, CLIENT_KEYS, BY_NAME)),
        orders=sort.choices(_SORTS),
        countries=country_choices(),
        same_list=same_list,
        saved=saved_bar(SavedList.CLIENTS),
        csv_url=with_same_filter("clients.export"),
        all_ticked=all_ticked(),
    )


@blueprint.get("/clients.xlsx")
@blueprint.get("/clients.csv")
@login_required
def export() -> ResponseReturnValue:
    """The list as the filter shows it, or of it those that were ticked."""
    chosen = tuple(picked())
    if request.args.get("ticked") == "only" and not chosen:
        flash("Tick at least one client first.", "alert")
        return redirect(url_for("clients.index"), 303)
    rows = sales().clients.export(current_agent(), replace(_filter(), ids=chosen))
    belongs = sales().groups.names(current_agent())
    return table_response(
        "clients",
        (*LIST_TITLES, *BELONGS_TITLES),
        ((*list_cells(client.data), *belongs.get(client.id, ("", ""))) for client in rows),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@login_required
def new() -> ResponseReturnValue:
    actor, form, sharing = current_agent(), ClientForm(), list[ClientDetail]()
    if form.validate_on_submit():
        if "all_the_same" not in request.form:
            sharing = sales().clients.with_address(actor, form.entered().email)
        client = None if sharing else attempt(form, lambda: sales().clients.create(actor, form.entered()))
        if client is not None:
            flash(f"{client.name} is saved.", "done")
            return redirect(url_for("clients.show", client_id=client.id), 303)
    page = render_template("clients/edit.html", form=form, client=None, elsewhere=[], sharing=sharing)
    return page, 422 if form.errors or sharing else 200


@blueprint.get("/<id:client_id>")
@login_required
def show(client_id: str) -> ResponseReturnValue:
    """The profile: contacts, address, notes, and what other rooms know about the client."""
    actor = current_agent()
    client = sales().clients.get(actor, client_id)
    household, changes = sales().profiles.on_page(actor, client_id)
    return render_template(
        "clients/show.html",
        client=client,
        own=actor.owns(client.agent_id),
        household=household,
        changes={change.field.value: change for change in changes},
        field_words=WORDS,
        relations=RELATION_WORDS,
        panels=CLIENT_PAGE.panels(actor, client),
    )


@blueprint.route("/<id:client_id>/edit", methods=["GET", "POST"])
@login_required
def edit(client_id: str) -> ResponseReturnValue:
    actor, clients = current_agent(), sales().clients
    client = clients.get_own(actor, client_id)
    form = ClientForm(data={**shallow(client.data), "version": client.version})
    if form.validate_on_submit():
        saved = attempt(form, lambda: clients.change(actor, client_id, form.entered(), version=form.version.data or 0))
        if saved is not None:
            flash(f"{saved.name} is saved.", "done")
            return redirect(url_for("clients.show", client_id=saved.id), 303)
    elsewhere = _changed_elsewhere(form, clients.get(actor, client_id)) if form.form_errors else []
    page = render_template("clients/edit.html", form=form, client=client, elsewhere=elsewhere, sharing=[])
    return page, 422 if form.errors else 200


def _changed_elsewhere(form: ClientForm, present: ClientDetail) -> list[tuple[str, str]]:
    """What a profile says by now where the form says something else: field and value in words."""
    fields = changed_fields(form.entered(), present.data)
    return [(WORDS[field], in_words(present.data, field)) for field in fields]


def _filter() -> ClientFilter:
    return ClientFilter(
        text=typed_text(),
        country=typed_text("country")[:2].upper(),
        without_email=request.args.get("without_email") == "1",
        order=asked_order(ClientSort, BY_NAME),
    )
