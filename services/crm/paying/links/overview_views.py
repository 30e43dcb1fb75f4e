"""The page of all links: by state, sent again or revoked from the list, one or several (C14)."""

from collections.abc import Sequence
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.typed.numbers import number_from
from chassis.web.formatting import plural
from services.crm.access.saved_views.pages import saved_bar
from services.crm.access.saved_views.service import SavedList
from services.crm.core.addresses import page_number, same_list, with_same_filter
from services.crm.core.bulk import all_ticked, back_to_list, carried_state, is_sure, list_state
from services.crm.core.export import table_response
from services.crm.core.headings import Headings, asked_order
from services.crm.core.qr import qr_code
from services.crm.core.web import current_agent, login_required
from services.crm.paying.links.overview import (
    LINK_KEYS,
    SHOWN_WORDS,
    LinkSort,
    ListedLink,
    Outcome,
    Picked,
    Shown,
    usual_order,
)
from services.crm.paying.links.panels import LINKS_PAGE
from services.crm.paying.links.rules import STATE_WORDS
from services.crm.paying.links.service import Link
from services.crm.paying.parts import paying

blueprint = Blueprint("link_overview", __name__, template_folder="templates", url_prefix="/links")

_HEADER: Final = (
    "Client",
    "E-mail",
    "Booking",
    "Supplier",
    "Currency",
    "Amount",
    "Due",
    "State",
    "Sent (UTC)",
    "Opened (UTC)",
    "Expires (UTC)",
    "Times sent",
)
# The buttons of one row, and what each does.
_ROW_BUTTONS: Final = {"fresh": "show", "revoke_one": "revoke", "resend_one": "remind"}
_LOST: Final = (
    "The links in the e-mails stop working for good, and these payments are not asked for any more. You can send new "
    "links later."
)


@blueprint.get("")
@login_required
def index() -> ResponseReturnValue:
    """The list; filter and page stay in the address."""
    actor, shown = current_agent(), _shown(request.args.get("show", ""))
    order = asked_order(LinkSort, usual_order(shown))
    return render_template(
        "links/overview.html",
        page=paying().overview.page(actor, shown, page_number(), order),
        sort=Headings(order, LINK_KEYS, usual_order(shown)),
        counts=paying().overview.counts(actor),
        shown=shown,
        words=SHOWN_WORDS,
        own_id=actor.agent_id,
        all_ticked=all_ticked(),
        state=list_state(),
        same_list=same_list,
        saved=saved_bar(SavedList.LINKS),
        csv_url=with_same_filter("link_overview.export"),
        panels=LINKS_PAGE.panels(actor) if shown is Shown.ALL and page_number() == 1 else [],
    )


@blueprint.get("/links.xlsx")
@blueprint.get("/links.csv")
@login_required
def export() -> ResponseReturnValue:
    """The list as the filter shows it. A link's token is not in it: nobody can read it any more."""
    shown = _shown(request.args.get("show", ""))
    listed = paying().overview.export(current_agent(), shown, asked_order(LinkSort, usual_order(shown)))
    return table_response("links", _HEADER, (_row(one) for one in listed))


@blueprint.post("/act")
@login_required
def act() -> ResponseReturnValue:
    """What a button of the list does: send again, show a fresh link, revoke; of one row or of the ticked ones."""
    actor, overview, back = current_agent(), paying().overview, back_to_list("link_overview.index")
    picked = _picked()
    if not picked:
        flash("Tick at least one link first.", "alert")
        return redirect(back, 303)
    match _wanted():
        case "show":
            outcome = overview.resend(actor, picked)
            _tell(outcome, "")
            return show_sent(outcome.done, back=back) if outcome.done else redirect(back, 303)
        case "revoke" if is_sure():
            outcome = overview.revoke(actor, picked)
            _tell(outcome, f"{plural(len(outcome.done), 'link')} revoked.")
        case "revoke":
            return _ask_to_revoke(overview.some(actor, picked), back)
        case "remind":
            _send_again(overview.resend(actor, picked))
        case _ if is_sure():
            _send_again(overview.resend(actor, picked))
        case _:
            return _ask_to_send(overview.some(actor, picked), back)
    return redirect(back, 303)


def show_sent(links: Sequence[Link], *, back: str) -> str:
    """The page right after sending, the only one on which a link can be read: to copy it, or as a QR code."""
    known = paying().overview.some(current_agent(), [Picked(link.id, link.issue) for link in links])
    listed = {one.link.id: one for one in known}
    sent = [(listed[link.id], link.fresh_url, qr_code(link.fresh_url)) for link in links if link.id in listed]
    return render_template("links/sent.html", sent=sent, back=back)


def _ask_to_send(listed: Sequence[ListedLink], back: str) -> ResponseReturnValue:
    """Before several e-mails leave: how many, and to whom."""
    chosen = [one for one in listed if one.link.can_remind]
    if not chosen:
        flash("None of these links can be sent again: they were revoked, or the client has submitted already.", "alert")
        return redirect(back, 303)
    mails, clients = plural(len(chosen), "e-mail"), plural(len({one.link.email for one in chosen}), "client")
    return _ask(
        chosen,
        back,
        act="resend",
        title=f"Send {plural(len(chosen), 'link')} again?",
        detail=f"{mails} to {clients}, at once, each with seven fresh days. What has left can’t be called back.",
        confirm=f"Send {mails} to {clients}",
    )


def _ask_to_revoke(listed: Sequence[ListedLink], back: str) -> ResponseReturnValue:
    chosen = [one for one in listed if one.link.can_withdraw]
    if not chosen:
        flash("None of these links can be revoked: they have ended, or the client has submitted already.", "alert")
        return redirect(back, 303)
    many = plural(len(chosen), "link")
    return _ask(
        chosen,
        back,
        act="revoke",
        title=f"Revoke {many}?",
        detail=_LOST,
        confirm=f"Revoke {many}",
        danger=True,
    )


def _ask(
    chosen: Sequence[ListedLink], back: str, *, act: str, title: str, detail: str, confirm: str, danger: bool = False
) -> str:
    return render_template(
        "crm/bulk_ask.html",
        title=title,
        crumbs=[("Links", url_for("link_overview.index")), ("Several at once",)],
        detail=detail,
        action=url_for("link_overview.act"),
        act=act,
        picks=[
            (f"{one.link.id}:{one.link.issue}", f"{one.payer_name}, {one.link.email}", _asks(one)) for one in chosen
        ],
        state=carried_state(),
        back=back,
        confirm=confirm,
        danger=danger,
        note="",
    )


def _asks(one: ListedLink) -> str:
    return f"{one.amount.format()} for {one.booking_title}, {one.supplier_name or 'service fee'}"


def _send_again(outcome: Outcome) -> None:
    _tell(outcome, f"{plural(len(outcome.done), 'link')} on the way again, with seven fresh days.")


def _tell(outcome: Outcome, done: str) -> None:
    if outcome.done and done:
        flash(done, "done")
    for message in outcome.refused:
        flash(message, "alert")


def _wanted() -> str:
    return next((act for name, act in _ROW_BUTTONS.items() if request.form.get(name)), request.form.get("do", ""))


def _picked() -> list[Picked]:
    """The row whose button was pressed, or else the ticked ones."""
    single = next((text for name in _ROW_BUTTONS if (text := request.form.get(name))), "")
    parts = [text.partition(":") for text in ([single] if single else request.form.getlist("pick"))]
    return [Picked(link_id, number_from(issue, most=999_999)) for link_id, _, issue in parts]


def _shown(text: str) -> Shown:
    return Shown(text) if text in list(Shown) else Shown.ALL


def _row(one: ListedLink) -> tuple[object, ...]:
    link = one.link
    return (
        one.payer_name,
        link.email,
        one.booking_title,
        one.supplier_name or "Service fee",
        one.amount.currency,
        one.amount.decimal,
        one.due_on,
        link.delivery_problem or STATE_WORDS[link.state],
        link.sent_at,
        link.opened_at,
        link.expires_at,
        link.issue,
    )
