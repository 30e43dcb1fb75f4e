"""Pages of the document library: templates, their editor with live preview, their versions, the restricted states."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import NotFound
from chassis.typed.numbers import number_from
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.forms import attempt, do_and_say
from services.crm.core.web import admin_required, current_agent, login_required
from services.crm.signing.esign.forms import RestrictionsForm, TemplateForm
from services.crm.signing.esign.rules import (
    MAX_BODY,
    DocumentKind,
    Required,
    tag_problem,
    tags_of,
)
from services.crm.signing.esign.service import Template
from services.crm.signing.esign.views import blueprint
from services.crm.signing.parts import signing
from services.crm.trips.bookings.service import BookingFilter
from services.crm.trips.parts import trips

__all__ = ["blueprint"]

_BOOKINGS_OFFERED = 20
# What the preview of an insurance offer shows: the plan is chosen when it is sent.
_SAMPLE_PLAN = {"PlanName": "Voyager Care Plus", "PlanPrice": "US$ 212.00"}


@blueprint.get("/library")
@login_required
def library() -> ResponseReturnValue:
    """The documents that can be sent."""
    actor = current_agent()
    names = access().directory.names_in(actor)
    templates = signing().library.templates(actor)
    return render_template("esign/library.html", templates=templates, names=names, actor=actor)


@blueprint.route("/library/new", methods=["GET", "POST"])
@login_required
def new_template() -> ResponseReturnValue:
    """A document of one's own."""
    actor = current_agent()
    form = TemplateForm(data={"required": Required.NEVER.value})
    if form.validate_on_submit():
        made = attempt(form, lambda: signing().library.create(actor, form.entered()))
        if made:
            flash(f"“{made.title}” is in your library.", "done")
            return redirect(url_for("esign.template", template_id=made.id), 303)
    return _editor(actor, form, None)


@blueprint.route("/library/<id:template_id>", methods=["GET", "POST"])
@login_required
def template(template_id: str) -> ResponseReturnValue:
    """One document: to change, or only to read."""
    actor = current_agent()
    found = signing().library.get(actor, template_id)
    form = TemplateForm(
        data={
            "version": found.version,
            "title": found.title,
            "body": found.body,
            "required": found.required.value,
        }
    )
    if form.validate_on_submit():
        version = form.version.data or 0
        saved = attempt(form, lambda: signing().library.change(actor, template_id, form.entered(), version=version))
        if saved:
            words = f" It is version {saved.number} now; what was sent before stays as it was."
            flash(f"“{saved.title}” is saved.{words if saved.number > found.number else ''}", "done")
            return redirect(url_for("esign.template", template_id=template_id), 303)
    return _editor(actor, form, found)


@blueprint.post("/library/<id:template_id>/archive")
@login_required
def archive(template_id: str) -> ResponseReturnValue:
    """Takes an own document out of the library, or back into it."""
    archived = request.form.get("archived") == "yes"
    version = number_from(request.form.get("version", ""))
    done = do_and_say(
        lambda: signing().library.archive(current_agent(), template_id, version=version, archived=archived),
        lambda _: "The document is put away." if archived else "The document is in the library again.",
    )
    if done is None:
        return redirect(url_for("esign.template", template_id=template_id), 303)
    return redirect(url_for("esign.library"), 303)


@blueprint.get("/library/<id:template_id>/versions")
@login_required
def versions(template_id: str) -> ResponseReturnValue:
    """Every text that the document had."""
    actor = current_agent()
    found = signing().library.get(actor, template_id)
    return render_template(
        "esign/versions.html", template=found, versions=signing().library.versions(actor, template_id)
    )


@blueprint.post("/library/preview")
@login_required
def preview() -> ResponseReturnValue:
    """The text as a client of a real booking would read it; a fragment of the editor's page."""
    kind = request.form.get("kind", "")
    chosen = DocumentKind(kind) if kind in list(DocumentKind) else DocumentKind.OWN
    body = request.form.get("body", "").replace("\r\n", "\n")[:MAX_BODY]
    return render_template("esign/_preview.html", **_preview(body, chosen, request.form.get("booking_id", "")))


@blueprint.route("/restrictions", methods=["GET", "POST"])
@admin_required
def restrictions() -> ResponseReturnValue:
    """The states that restrict service fees."""
    actor = current_agent()
    kept = signing().library.restrictions(actor.agency_id)
    form = RestrictionsForm(data={"states": list(kept), "note": next(iter(kept.values()), "")})
    sent = form.validate_on_submit()
    note = form.note.data or ""
    if sent and note and not form.states.data:
        form.refuse("states", "Tick the states that the note is for, or leave the note out.")
    elif sent:
        signing().library.set_restrictions(actor, dict.fromkeys(form.states.data or (), note))
        flash("The list is saved. Agents are warned from now on.", "done")
        return redirect(url_for("esign.restrictions"), 303)
    return render_template("esign/restrictions.html", form=form), 422 if form.errors else 200


def _editor(actor: Actor, form: TemplateForm, found: Template | None) -> ResponseReturnValue:
    kind = found.kind if found else DocumentKind.OWN
    bookings = trips().bookings.list_page(actor, BookingFilter(), 1).items[:_BOOKINGS_OFFERED]
    page = render_template(
        "esign/template.html",
        form=form,
        template=found,
        kind=kind,
        may_change=found is None or signing().library.may_change(actor, found),
        is_admin=actor.is_admin,
        tags=tags_of(kind),
        bookings=bookings,
        preview=_preview(form.body.data or "", kind, bookings[0].id if bookings else ""),
    )
    return page, 422 if form.errors else 200


def _preview(body: str, kind: DocumentKind, booking_id: str) -> dict[str, object]:
    """What the preview shows: the text, what is wrong with it, what this booking does not have."""
    if problem := tag_problem(body, kind):
        return {"text": "", "problem": problem, "unfilled": ()}
    actor = current_agent()
    try:
        booking = trips().bookings.get(actor, booking_id)
    except NotFound:
        booking = None
    if booking is None or booking.lead is None:
        return {"text": body, "problem": "", "unfilled": ()}
    more = _SAMPLE_PLAN if kind is DocumentKind.INSURANCE else {}
    text, unfilled = signing().requests.text_for(actor, booking_id, booking.lead.client_id, body, more)
    words = tags_of(kind)
    return {"text": text, "problem": "", "unfilled": tuple(words[tag] for tag in unfilled)}
