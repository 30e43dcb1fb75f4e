"""Pages of the profile: contact and address, family, occasions."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import NotFound
from chassis.web.known_devices import known_devices
from services.portal.account.service import Accepted
from services.portal.parts import portal
from services.portal.profile.forms import RELATION_WORDS, FamilyForm, OccasionForm, ProfileForm
from services.portal.profile.rules import MOST_FAMILY, MOST_OCCASIONS, FamilyMember, Occasion, Profile
from services.portal.profile.service import ChangedMeanwhile
from services.portal.web import client_required, current_client

Entry = TypeVar("Entry", FamilyMember, Occasion)

_PASSWORD_ASKED = "To change your e-mail address, enter your current password too: new-password links go there."  # noqa: S105
_PASSWORD_WRONG = "That is not your current password."  # noqa: S105


blueprint = Blueprint("profile", __name__, template_folder="templates", url_prefix="/profile")


@blueprint.get("")
@client_required
def show() -> ResponseReturnValue:
    client = current_client()
    view = portal().profiles.get(client.client_id)
    return render_template("profile/show.html", profile=view.profile, client=client, relations=RELATION_WORDS)


@blueprint.route("/edit", methods=["GET", "POST"])
@client_required
def edit() -> ResponseReturnValue:
    client = current_client()
    view = portal().profiles.get(client.client_id)
    form = ProfileForm(data=_values(view.profile) | {"version": view.version})
    if form.validate_on_submit() and _may_change_email(form, view.profile, client.username):
        try:
            portal().profiles.change(client.client_id, form.applied_to, version=form.version.data or 0)
        except ChangedMeanwhile as error:
            form.refuse("", error.message)
            form.version.data = error.version
            form.version.raw_data = None
        else:
            flash(f"Saved. {client.agent.first_name} sees it too.", "done")
            return redirect(url_for("profile.show"), 303)
    page = render_template("profile/edit.html", form=form, client=client, profile=view.profile)
    return page, 422 if form.errors else 200


@blueprint.route("/family/new", methods=["GET", "POST"])
@client_required
def new_member() -> ResponseReturnValue:
    return _member_page(None)


@blueprint.route("/family/<member_id>", methods=["GET", "POST"])
@client_required
def member(member_id: str) -> ResponseReturnValue:
    return _member_page(_one(portal().profiles.get(current_client().client_id).profile.family, member_id))


@blueprint.post("/family/<member_id>/remove")
@client_required
def remove_member(member_id: str) -> ResponseReturnValue:
    client_id = current_client().client_id
    gone = _one(portal().profiles.get(client_id).profile.family, member_id)
    portal().profiles.change(
        client_id,
        lambda profile: replace(profile, family=tuple(one for one in profile.family if one.id != gone.id)),
        version=None,
    )
    flash(f"{gone.name} is no longer in your profile.", "done")
    return redirect(url_for("profile.show", _anchor="family"), 303)


@blueprint.route("/occasions/new", methods=["GET", "POST"])
@client_required
def new_occasion() -> ResponseReturnValue:
    return _occasion_page(None)


@blueprint.route("/occasions/<occasion_id>", methods=["GET", "POST"])
@client_required
def occasion(occasion_id: str) -> ResponseReturnValue:
    found = _one(portal().profiles.get(current_client().client_id).profile.occasions, occasion_id)
    return _occasion_page(found)


@blueprint.post("/occasions/<occasion_id>/remove")
@client_required
def remove_occasion(occasion_id: str) -> ResponseReturnValue:
    client_id = current_client().client_id
    gone = _one(portal().profiles.get(client_id).profile.occasions, occasion_id)
    portal().profiles.change(
        client_id,
        lambda profile: replace(profile, occasions=tuple(one for one in profile.occasions if one.id != gone.id)),
        version=None,
    )
    flash(f"“{gone.label}” is no longer in your profile.", "done")
    return redirect(url_for("profile.show", _anchor="occasions"), 303)


def _member_page(member: FamilyMember | None) -> ResponseReturnValue:
    values = (
        {
            "first_name": member.first_name,
            "last_name": member.last_name,
            "relation": member.relation.value,
            "born_on": member.born_on,
        }
        if member
        else {}
    )
    form = FamilyForm(data=values)
    if form.validate_on_submit():
        entered = form.entered(member.id if member else "")
        if _saved(form, lambda old: replace(old, family=_put(old.family, entered, MOST_FAMILY))):
            flash(f"{entered.name} is saved.", "done")
            return redirect(url_for("profile.show", _anchor="family"), 303)
    page = render_template("profile/member.html", form=form, member=member)
    return page, 422 if form.errors else 200


def _occasion_page(occasion: Occasion | None) -> ResponseReturnValue:
    values: dict[str, object] = {}
    if occasion is not None:
        on = occasion.on
        values = {"label": occasion.label, "day": on.day, "month": str(on.month)}
        values["year"] = on.year if occasion.year_known else None
    form = OccasionForm(data=values)
    if form.validate_on_submit():
        entered = form.entered(occasion.id if occasion else "")
        if _saved(form, lambda old: replace(old, occasions=_put(old.occasions, entered, MOST_OCCASIONS))):
            flash(f"“{entered.label}” is saved.", "done")
            return redirect(url_for("profile.show", _anchor="occasions"), 303)
    page = render_template("profile/occasion.html", form=form, occasion=occasion)
    return page, 422 if form.errors else 200


class _TooMany(Exception):
    """A profile holds only so many entries of a kind."""


def _saved(form: FamilyForm | OccasionForm, edit: Callable[[Profile], Profile]) -> bool:
    try:
        portal().profiles.change(current_client().client_id, edit, version=None)
    except _TooMany:
        form.refuse("", "There is no room for more here. Remove one that is no longer needed first.")
        return False
    return True


def _put(entries: tuple[Entry, ...], entered: Entry, most: int) -> tuple[Entry, ...]:
    """The list with an entry changed in its place, or added at the end."""
    changed = [entered if one.id == entered.id else one for one in entries]
    if entered not in changed:
        changed.append(entered)
    if len(changed) > max(most, len(entries)):
        raise _TooMany
    return tuple(changed)


def _one(entries: tuple[Entry, ...], entry_id: str) -> Entry:
    for entry in entries:
        if entry.id == entry_id:
            return entry
    raise NotFound("There is no such entry in your profile.")


def _may_change_email(form: ProfileForm, profile: Profile, username: str) -> bool:
    """A new address gets the links for new passwords, so it takes the present password to set one."""
    if (form.email.data or "").casefold() == profile.email.casefold():
        return True
    if not form.present_password.data:
        form.refuse("present_password", _PASSWORD_ASKED)
        return False
    outcome = portal().accounts.check_password(username, form.present_password.data, known_devices().visitor(username))
    if not isinstance(outcome, Accepted):
        form.refuse("present_password", _PASSWORD_WRONG)
        return False
    return True


def _values(profile: Profile) -> dict[str, object]:
    address = profile.address
    return {
        "first_name": profile.first_name,
        "last_name": profile.last_name,
        "birthday": profile.birthday,
        "email": profile.email,
        "phone": profile.phone,
        "street": address.street,
        "city": address.city,
        "region": address.region,
        "postal_code": address.postal_code,
        "country": address.country,
    }
