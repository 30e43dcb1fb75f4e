"""Role × object × endpoint: whatever address takes an id, a foreign one is no page (docs/security.md, 8.2.2)."""

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from chassis.ids import new_id
from services.crm.core.actor import Actor
from services.crm.sales.clients.service import ClientFilter
from services.crm.trips.bookings.service import BookingFilter
from tests.support.crm_site import Browser, CrmSite, alike

# What anybody may open: signing in, and what browsers need for it.
PUBLIC = {
    "auth.sign_in",
    "auth.authenticator",
    "auth.set_up",
    "auth.sign_out",
    "auth.invitation",
    # Whoever has its secret address reads an agent's days (test_feed).
    "calendar.feed",
    # A gateway signs its messages; charging checks them.
    "charging.notice",
    "chassis.healthz",
    "chassis.theme",
}


# Goes on to the page that says what the form lacks: the agency here has no text to be signed.
LEADS_ON = "/form.pdf"

# What an address says in words of its own.
_WORDS = {"whose": "own", "which": "payment_due"}


def _rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if not rule.endpoint.endswith("static")]


def _calls(site: CrmSite, ids: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every method and address whose ids are all known."""
    adapter = site.app.url_map.bind("crm.localhost")
    for rule in _rules(site.app):
        if rule.arguments and rule.arguments <= set(ids):
            path = adapter.build(rule.endpoint, {name: ids[name] for name in rule.arguments})
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield method, path


def _mayas(site: CrmSite) -> dict[str, str]:
    return {"client_id": site.client.id, "booking_id": site.booking.id, "segment_id": site.segment_id}


def _call(browser: Browser, method: str, path: str) -> int:
    return (browser.get(path) if method == "GET" else browser.post(path)).status_code


def test_the_matrix_has_something_to_prove(site: CrmSite) -> None:
    assert len(list(_calls(site, _mayas(site)))) >= 9


def test_another_agents_ids_answer_404_everywhere(site: CrmSite) -> None:
    jonas = site.signed_in(site.jonas)
    answers = {(method, path): _call(jonas, method, path) for method, path in _calls(site, _mayas(site))}
    assert {call: status for call, status in answers.items() if status != 404} == {}


def test_ids_that_never_were_answer_exactly_the_same(site: CrmSite) -> None:
    jonas = site.signed_in(site.jonas)
    never = {name: new_id(name.removesuffix("_id")) for name in _mayas(site)}
    for (method, foreign), (_, unknown) in zip(_calls(site, _mayas(site)), _calls(site, never), strict=True):
        bodies = []
        for path in (foreign, unknown):
            response = jonas.get(path) if method == "GET" else jonas.post(path)
            bodies.append((response.status_code, alike(jonas, response)))
        assert bodies[0] == bodies[1]


def test_an_admin_looks_at_all_bookings_and_changes_none_of_them(site: CrmSite) -> None:
    ada = site.signed_in(site.ada)
    assert ada.get(f"/bookings/{site.booking.id}").status_code == 200
    assert ada.get(f"/clients/{site.client.id}").status_code == 200
    before = site.deps.trips.bookings.get(site.maya, site.booking.id)
    for method, path in _calls(site, _mayas(site)):
        status = _call(ada, method, path)
        if path.startswith("/reports/commissions/"):  # their own form says that it changes nothing for them
            assert status in {200, 422}
            continue
        looked = {303} if path.endswith(LEADS_ON) else {200, 403, 404}
        assert status in (looked if method == "GET" else {403, 404}), (method, path, status)
    assert site.deps.trips.bookings.get(site.maya, site.booking.id) == before


def test_an_agents_own_pages_open(site: CrmSite) -> None:
    maya = site.signed_in(site.maya)
    answers = {path: _call(maya, "GET", path) for method, path in _calls(site, _mayas(site)) if method == "GET"}
    expected = {path: 303 if path.endswith(LEADS_ON) else 200 for path in answers}
    assert answers == expected


def test_who_is_not_signed_in_sees_the_sign_in_page_and_nothing_else(site: CrmSite) -> None:
    adapter = site.app.url_map.bind("crm.localhost")
    for rule in _rules(site.app):
        if rule.endpoint in PUBLIC:
            continue
        ids = {name: new_id(name.removesuffix("_id").removesuffix("ment")) for name in rule.arguments}
        ids |= {name: word for name, word in _WORDS.items() if name in ids}
        path = adapter.build(rule.endpoint, ids)
        for method in (rule.methods or set()) & {"GET", "POST"}:
            browser = site.browser()
            browser.get("/sign-in")
            response = browser.get(path) if method == "GET" else browser.post(path)
            assert response.status_code in (303, 401), (method, path)
            if response.status_code == 303:
                assert response.location.startswith("/sign-in"), (method, path)


def test_for_agents_the_admin_pages_do_not_exist(site: CrmSite) -> None:
    maya = site.signed_in(site.maya)
    paths = ["/agency", "/agency/agents/new", f"/agency/agents/{site.jonas.agent_id}"]
    posts = [*paths, f"/agency/agents/{site.jonas.agent_id}/invite"]
    posts.append(f"/agency/agents/{site.jonas.agent_id}/reset-authenticator")
    assert {_call(maya, "GET", path) for path in paths} == {404}
    assert {_call(maya, "POST", path) for path in posts} == {404}


@pytest.mark.parametrize("text", ["eleanor", "whit", "eleanor@mail", "Norwegian", "Aurora"])
def test_search_and_lists_show_only_ones_own(site: CrmSite, text: str) -> None:
    jonas = site.signed_in(site.jonas)
    for path in (f"/clients/search?q={text}", f"/clients?q={text}", f"/bookings?q={text}"):
        page = jonas.get(path, headers={"HX-Request": "true"})
        assert site.client.id not in page.text
        assert site.booking.id not in page.text
    for path in ("/clients/clients.csv", "/bookings/bookings.csv"):
        csv = jonas.get(path).text
        assert "Whitcombe" not in csv
        assert "Norwegian" not in csv


def test_lists_hold_ones_own_and_an_admins_hold_all(site: CrmSite) -> None:
    def counts(actor: Actor) -> tuple[int, int]:
        clients = site.deps.sales.clients.list_page(actor, ClientFilter(), 1)
        return clients.total, site.deps.trips.bookings.list_page(actor, BookingFilter(), 1).total

    assert (counts(site.maya), counts(site.jonas), counts(site.ada)) == ((1, 1), (0, 0), (1, 1))


def test_nobody_can_put_another_agents_client_on_a_booking(site: CrmSite) -> None:
    jonas = site.signed_in(site.jonas)
    jonas.get("/bookings/new")
    form = {"title": "Stolen", "status": "quote", "currency": "USD", "lead": site.client.id}
    assert jonas.post("/bookings/new", form).status_code == 422
    assert site.deps.trips.bookings.list_page(site.jonas, BookingFilter(), 1).total == 0


def test_another_agencys_admin_sees_nothing(site: CrmSite) -> None:
    from services.crm.access.agency.service import AgencyData, AgentData
    from services.crm.core.actor import Role

    other = site.deps.access.directory.create_agency(AgencyData(name="Elsewhere Travel"))
    admin = site.deps.access.directory.create_agent(
        other.id, AgentData(name="Eve Admin", email="eve@elsewhere.example", role=Role.ADMIN)
    )
    eve = site.deps.access.directory.actor(admin.id)
    assert eve is not None
    assert site.deps.trips.bookings.list_page(eve, BookingFilter(), 1).total == 0
    assert site.deps.sales.clients.search(eve, "eleanor") == []
    assert [agent.name for agent in site.deps.access.directory.agents(eve)] == ["Eve Admin"]
