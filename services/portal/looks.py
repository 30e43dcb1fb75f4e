"""What every page of the portal shares: whose house it is, in which zone its times are, who is asking."""

from flask import Flask, abort, g, request, url_for

from chassis.web import Brand
from chassis.web.formatting import use_zone
from chassis.web.page import Viewer
from services.portal.agents.service import AgentView
from services.portal.following import follow, following
from services.portal.nav import tabs_for
from services.portal.origin import Origin
from services.portal.parts import portal
from services.portal.payment_request import PaymentRequest, readable_accent
from services.portal.web import find_client

_NOBODY = Brand(name="Your travel agency")
# Answers that are no pages.
_BARE = ("static", "following.news", "session_watch.left")


def dress(payment_request: PaymentRequest) -> None:
    """Shows the rest of this request in the agency's name and colour, and times in its zone."""
    g.portal_brand = _brand(payment_request.agency_id, payment_request.agency_name, payment_request.accent)
    use_zone(payment_request.time_zone)


def origin_of_request() -> Origin:
    """Where the current request came from."""
    return Origin.of(request.remote_addr, request.user_agent.string)


def public_agent(name: str) -> AgentView:
    """The agent whose public page has this name; the rest of this request looks like theirs. 404 when there is none."""
    agent = portal().agents.by_address(name)
    if agent is None:
        abort(404)
    dress_as(agent)
    return agent


def dress_as(agent: AgentView) -> None:
    """Shows the rest of this request in the name and colour of an agent's agency, and times in its zone."""
    g.portal_brand = _brand(agent.agency_id, agent.agency_name, agent.accent)
    use_zone(agent.time_zone)


def _brand(agency_id: str, name: str, accent: str) -> Brand:
    """The agency as it looks today; as the page's own snapshot has it while the CRM has told nothing."""
    look = portal().agencies.look(agency_id)
    if look is None:
        return Brand(name=name, accent=readable_accent(accent))
    logo = url_for("agencies.logo", agency_id=agency_id, sha256=look.logo_sha256) if look.logo_sha256 else ""
    return Brand(name=look.name, accent=readable_accent(look.accent), logo_url=logo)


def _house() -> Brand:
    """Whose house it is where nobody is signed in: the agency that the link names, else the only one there is."""
    if g.get("portal_house") is None:
        agency_id = portal().agencies.the_one_meant(request.args.get("agency", "")[:64])
        g.portal_house = _brand(agency_id, _NOBODY.name, "") if agency_id else _NOBODY
    brand: Brand = g.portal_house
    return brand


def install_brand(app: Flask) -> None:
    """Makes `brand`, `nav` and `viewer` known to the layout: the signed-in client's, where a page has no other."""

    def dress_for_client() -> None:
        if (request.endpoint or "").endswith(_BARE) or (client := find_client()) is None:
            return
        if request.method == "GET":
            # Tabs count what waits for them; and whatever the address names is shown.
            follow(client.client_id, *(str(each) for each in (request.view_args or {}).values()))
        dress_as(client.agent)

    app.before_request(dress_for_client)
    app.context_processor(_page_context)


def _page_context() -> dict[str, object]:
    client = find_client()
    context: dict[str, object] = {"brand": g.get("portal_brand") or _house(), "nav": (), "viewer": None}
    if asks := following():
        context |= {"followed": asks, "page_scripts": [url_for("payments.static", filename="follow.js")]}
    if client is not None:
        context["nav"] = tabs_for(client.client_id)
        context["viewer"] = Viewer(name=client.name, detail=client.email, sign_out_url=url_for("account.sign_out"))
    return context
