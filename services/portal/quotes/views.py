"""The agent's public page and its form; the form alone, for a frame on the agent's own website."""

from datetime import date
from zoneinfo import ZoneInfo

import structlog
from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.ids import new_link_token
from chassis.web.form_tokens import new_form_token, read_form_token
from chassis.web.framing import ANYBODY, framable
from services.portal.account.service import PresentClient
from services.portal.agents.service import AgentView
from services.portal.looks import public_agent
from services.portal.parts import portal
from services.portal.quotes.forms import FramedQuoteForm, QuoteForm
from services.portal.quotes.rules import REQUESTS_PER_HOUR, date_errors
from services.portal.web import find_client

blueprint = Blueprint("quotes", __name__, template_folder="templates")
log = structlog.get_logger("portal.quotes")

_TOO_MANY = (
    "Several requests came from your connection within an hour, so we let it rest. What you typed is still here: "
    "send it again later, or call."
)

_FORM_IS_OLD = "This form lay open for very long. What you typed is still here: look it over and send it once more."


@blueprint.route("/a/<name>", methods=["GET", "POST"])
def ask(name: str) -> ResponseReturnValue:
    """Who the agent is, and the form. An address with their id leads to the one with their name."""
    agent = public_agent(name)
    if request.method == "GET" and name != agent.slug:
        return redirect(url_for("quotes.ask", name=agent.slug), 302)
    client = _own_client(agent)
    form = QuoteForm(data=_known(client))
    status = 200
    if form.validate_on_submit() and _dates_fit(form, agent):
        if _asked(form, agent, client, form.request_key.data or new_link_token()):
            return redirect(url_for("quotes.thanks", name=agent.slug), 303)
        status = 429
    elif form.errors:
        status = 422
    if not form.request_key.data:
        form.request_key.data = new_link_token()
    return render_template("quotes/ask.html", agent=agent, form=form, client=client), status


def _websites(name: str) -> tuple[str, ...] | None:
    """Where the form may be framed: on the websites that the agent stated, or on any."""
    agent = portal().agents.by_address(name)
    return None if agent is None else agent.websites or ANYBODY


@blueprint.route("/a/<name>/embed", methods=["GET", "POST"])
@framable(_websites)
def embed(name: str) -> ResponseReturnValue:
    """The form alone, as an agent puts it into their own website (P11). Answers in place, for only this page may be
    framed."""
    agent = public_agent(name)
    form = FramedQuoteForm()
    what, status = f"quote/{agent.agent_id}", 200
    key = read_form_token(what, form.request_key.data or "")
    if form.validate_on_submit() and _dates_fit(form, agent):
        if key and _asked(form, agent, None, key):
            return render_template("quotes/embedded_thanks.html", agent=agent, page_theme=_scheme())
        if not key:
            form.refuse("", _FORM_IS_OLD)
        status = 422 if not key else 429
    elif form.errors:
        status = 422
    if not key:
        form.request_key.data = new_form_token(what)
        form.request_key.raw_data = None
    page = render_template("quotes/embedded.html", agent=agent, form=form, client=None, page_theme=_scheme())
    return page, status


def _scheme() -> str:
    """Light unless the website around the form says that it is dark: it decides, not the visitor's system."""
    return "dark" if request.args.get("scheme") == "dark" else "light"


@blueprint.get("/a/<name>/thanks")
def thanks(name: str) -> ResponseReturnValue:
    """What happens next."""
    agent = public_agent(name)
    return render_template("quotes/thanks.html", agent=agent)


def _asked(form: QuoteForm, agent: AgentView, client: PresentClient | None, key: str) -> bool:
    """Asks what a valid form holds; machines are thanked and forgotten. False, and said in the form, for too many."""
    if form.website.data:
        log.info("quote.machine_refused", agent_id=agent.agent_id)
        return True
    visitor = request.remote_addr or ""
    if not portal().throttle.allows_mail(
        "quote", visitor, form.visitor().email, most=REQUESTS_PER_HOUR, mails=REQUESTS_PER_HOUR
    ):
        form.refuse("", _TOO_MANY)
        return False
    portal().quotes.ask(agent, form.wish(), form.visitor(), client=client, request_key=key)
    return True


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
