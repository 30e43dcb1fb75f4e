"""The agent's public page and its form."""

from datetime import date
from zoneinfo import ZoneInfo

import structlog
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.ids import new_link_token
from services.portal.account.service import PresentClient
from services.portal.agents.service import AgentView
from services.portal.looks import dress_as
from services.portal.parts import portal
from services.portal.quotes.forms import QuoteForm
from services.portal.quotes.rules import REQUESTS_PER_HOUR, date_errors
from services.portal.web import find_client

blueprint = Blueprint("quotes", __name__, template_folder="templates")
log = structlog.get_logger("portal.quotes")

_TOO_MANY = (
    "Several requests came from your connection within an hour, so we let it rest. What you typed is still here: "
    "send it again later, or call."
)


@blueprint.route("/a/<name>", methods=["GET", "POST"])
def ask(name: str) -> ResponseReturnValue:
    """Who the agent is, and the form. An address with their id leads to the one with their name."""
    agent = _agent(name)
    if request.method == "GET" and name != agent.slug:
        return redirect(url_for("quotes.ask", name=agent.slug), 302)
    client = _own_client(agent)
    form = QuoteForm(data=_known(client))
    status = 200
    if form.validate_on_submit() and _dates_fit(form, agent):
        if form.website.data:
            log.info("quote.machine_refused", agent_id=agent.agent_id)
            return redirect(url_for("quotes.thanks", name=agent.slug), 303)
        if _may_ask(form.visitor().email):
            key = form.request_key.data or new_link_token()
            portal().quotes.ask(agent, form.wish(), form.visitor(), client=client, request_key=key)
            return redirect(url_for("quotes.thanks", name=agent.slug), 303)
        form.refuse("", _TOO_MANY)
        status = 429
    elif form.errors:
        status = 422
    if not form.request_key.data:
        form.request_key.data = new_link_token()
    return render_template("quotes/ask.html", agent=agent, form=form, client=client), status


@blueprint.get("/a/<name>/thanks")
def thanks(name: str) -> ResponseReturnValue:
    """What happens next."""
    agent = _agent(name)
    return render_template("quotes/thanks.html", agent=agent)


def _may_ask(email: str) -> bool:
    """Counts by the address it comes from, and by the one that is mailed: nobody's inbox is filled from here."""
    throttle = portal().throttle
    return throttle.allows("quote", request.remote_addr or "", most=REQUESTS_PER_HOUR) and throttle.allows(
        "quote mail", email.casefold(), most=REQUESTS_PER_HOUR
    )


def _agent(name: str) -> AgentView:
    agent = portal().agents.by_address(name)
    if agent is None:
        abort(404)
    dress_as(agent)
    return agent


def _own_client(agent: AgentView) -> PresentClient | None:
    """The client signed in, when this is their own agent; to others they are a visitor."""
    client = find_client()
    return client if client is not None and client.agent.agent_id == agent.agent_id else None


def _known(client: PresentClient | None) -> dict[str, object]:
    if client is None:
        return {}
    return {"first_name": client.first_name, "last_name": client.last_name, "email": client.email}


def _dates_fit(form: QuoteForm, agent: AgentView) -> bool:
    today: date = portal().core.clock.now().astimezone(ZoneInfo(agent.time_zone)).date()
    errors = date_errors(form.begins_on.data, form.ends_on.data, today)
    for field, message in errors.items():
        form.refuse(field, message)
    return not errors
