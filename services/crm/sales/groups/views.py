"""Pages of companies and households: list, page with members, forms, files; and their part of a client's page."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from services.crm.core.actor import Actor
from services.crm.core.addresses import page_number, same_list, typed_text, with_same_filter
from services.crm.core.export import table_response
from services.crm.core.forms import attempt, do_and_say, shallow
from services.crm.core.headings import Headings, asked_order
from services.crm.core.panels import Panel
from services.crm.core.web import current_agent, login_required
from services.crm.sales.clients.rules import LIST_TITLES, list_cells
from services.crm.sales.clients.service import ClientDetail
from services.crm.sales.groups.forms import group_form
from services.crm.sales.groups.panels import GROUP_PAGE
from services.crm.sales.groups.rules import KIND_WORDS, Group, GroupData, GroupKind
from services.crm.sales.groups.service import BY_NAME, GROUP_KEYS, GroupFilter, GroupLine, GroupSort
from services.crm.sales.parts import sales

blueprint = Blueprint("groups", __name__, template_folder="templates", url_prefix="/groups")

_HEADER = (
    "Kind",
    "Name",
    "Members",
    "Phone",
    "Website",
    "Tax or VAT number",
    "Billing contact",
    "Billing e-mail",
    "Street",
    "City",
    "State or region",
    "Postal code",
    "Country",
    "Notes",
)


@blueprint.get("")
@login_required
def index() -> ResponseReturnValue:
    """The list; its filter, order and page stay in the address."""
    wanted = _filter()
    return render_template(
        "groups/index.html",
        page=sales().groups.list_page(current_agent(), wanted, page_number()),
        wanted=wanted,
        sort=Headings(wanted.order, GROUP_KEYS, BY_NAME),
        same_list=same_list,
        csv_url=with_same_filter("groups.export"),
    )


@blueprint.get("/companies-and-households.xlsx")
@blueprint.get("/companies-and-households.csv")
@login_required
def export() -> ResponseReturnValue:
    """The list as the filter shows it."""
    found = sales().groups.export(current_agent(), _filter())
    return table_response("companies-and-households", _HEADER, map(_csv_row, found))


@blueprint.route("/new", methods=["GET", "POST"])
@login_required
def new() -> ResponseReturnValue:
    """`?kind=` says what is added, `?client=` who belongs to it from the start."""
    actor, kind = current_agent(), _kind() or GroupKind.COMPANY
    first = sales().clients.named(actor, [request.args.get("client", "")])
    member = first[0] if first else None
    form = group_form(kind, _first_values(kind, member))
    if form.validate_on_submit():
        member_id = member.id if member else ""
        saved = attempt(form, lambda: sales().groups.add(actor, form.entered(kind), first_member=member_id))
        if saved is not None:
            flash(f"{saved.name} is saved." if member else f"{saved.name} is saved. Add who belongs to it.", "done")
            return redirect(url_for("groups.show", group_id=saved.id), 303)
    page = render_template("groups/edit.html", form=form, group=None, kind=kind, words=KIND_WORDS[kind], member=member)
    return page, 422 if form.errors else 200


@blueprint.get("/<id:group_id>")
@login_required
def show(group_id: str) -> ResponseReturnValue:
    """What is known of it, who belongs to it, their bookings; a search offers who could be added."""
    actor, text = current_agent(), typed_text()
    group = sales().groups.get(actor, group_id)
    members = sales().groups.members(actor, group_id)
    own = actor.owns(group.agent_id)
    known = {member.id for member in members}
    found = sales().clients.search(actor, text) if own else []
    return render_template(
        "groups/show.html",
        group=group,
        members=members,
        own=own,
        text=text,
        found=[each for each in found if actor.owns(each.agent_id) and each.id not in known],
        csv_url=url_for("groups.members", group_id=group_id),
        panels=GROUP_PAGE.panels(actor, group, members),
    )


@blueprint.get("/<id:group_id>/members.xlsx")
@blueprint.get("/<id:group_id>/members.csv")
@login_required
def members(group_id: str) -> ResponseReturnValue:
    """Who belongs to it, as a file."""
    found = sales().groups.members(current_agent(), group_id)
    return table_response("members", LIST_TITLES, (list_cells(client.data) for client in found))


@blueprint.route("/<id:group_id>/edit", methods=["GET", "POST"])
@login_required
def edit(group_id: str) -> ResponseReturnValue:
    actor, groups = current_agent(), sales().groups
    group = groups.get_own(actor, group_id)
    form = group_form(group.kind, {**shallow(group.data), "version": group.version})
    if form.validate_on_submit():
        version = form.version.data or 0
        saved = attempt(form, lambda: groups.change(actor, group_id, form.entered(group.kind), version=version))
        if saved is not None:
            flash(f"{saved.name} is saved.", "done")
            return redirect(url_for("groups.show", group_id=group_id), 303)
    page = render_template("groups/edit.html", form=form, group=group, kind=group.kind, words=group.kind_words)
    return page, 422 if form.errors else 200


@blueprint.post("/<id:group_id>/remove")
@login_required
def remove(group_id: str) -> ResponseReturnValue:
    """Its members stay clients."""
    removed = sales().groups.remove(current_agent(), group_id)
    flash(f"{removed.name} is removed. Who belonged to it is still a client of yours.", "done")
    return redirect(url_for("groups.index"), 303)


@blueprint.post("/<id:group_id>/members")
@login_required
def join(group_id: str) -> ResponseReturnValue:
    actor, group = current_agent(), sales().groups.get_own(current_agent(), group_id)
    client_id = request.form.get("client_id", "")
    do_and_say(
        lambda: sales().groups.join(actor, group_id, client_id),
        lambda client: f"{client.name} belongs to {group.name}.",
    )
    return redirect(url_for("groups.show", group_id=group_id, _anchor="members"), 303)


@blueprint.post("/<id:group_id>/members/<id:client_id>/remove")
@login_required
def leave(group_id: str, client_id: str) -> ResponseReturnValue:
    client = sales().groups.leave(current_agent(), group_id, client_id)
    flash(f"{client.name} no longer belongs to it, and is still a client of yours.", "done")
    return redirect(url_for("groups.show", group_id=group_id, _anchor="members"), 303)


@blueprint.get("/for/<id:client_id>")
@login_required
def choose(client_id: str) -> ResponseReturnValue:
    """To which company or household a client is added: one that is known, or a new one."""
    actor, text = current_agent(), typed_text()
    client = sales().clients.get_own(actor, client_id)
    has = {group.id for group in sales().groups.of_client(actor, client_id)}
    lines = sales().groups.list_page(actor, GroupFilter(text=text), 1).items
    found = [line for line in lines if actor.owns(line.group.agent_id) and line.group.id not in has]
    return render_template("groups/choose.html", client=client, found=found, text=text)


def client_panel(actor: Actor, client: ClientDetail) -> Panel | None:
    """What a client belongs to, on their page; for who may only look, nothing while it is nothing."""
    groups, own = sales().groups.of_client(actor, client.id), actor.owns(client.agent_id)
    data = {"groups": groups, "client": client, "own": own}
    return Panel(template="groups/client_panel.html", data=data) if groups or own else None


def _filter() -> GroupFilter:
    return GroupFilter(text=typed_text(), kind=_kind(), order=asked_order(GroupSort, BY_NAME))


def _kind() -> GroupKind | None:
    text = request.args.get("kind", "")
    return GroupKind(text) if text in list(GroupKind) else None


def _first_values(kind: GroupKind, member: ClientDetail | None) -> dict[str, object]:
    """A household begins with its first member's name and address."""
    if member is None or kind is GroupKind.COMPANY:
        return {"name": typed_text("name")}
    address = {name: getattr(member.data, name) for name in ("street", "city", "region", "postal_code", "country")}
    return {"name": typed_text("name") or f"{member.data.last_name or member.name} household", **address}


def _csv_row(line: GroupLine) -> tuple[object, ...]:
    group: Group = line.group
    data: GroupData = group.data
    rest = (data.phone, data.website, data.tax_id, data.billing_name, data.billing_email, data.street, data.city)
    return group.kind_words, group.name, line.members, *rest, data.region, data.postal_code, data.country, data.notes
