"""The form of an agent's public page, framed on a website of their own (P11): no session, no cookie, no script."""

from datetime import timedelta

import pytest

from chassis.web.form_tokens import new_form_token, read_form_token
from protos.wayvault.events.v1.events_pb2 import ClientRegistered, PublicPageChosen, QuoteRequested
from tests.support.portal import PortalWorld
from tests.support.portal_people import agent_saved, signed_in, tell
from tests.unit.portal.quotes.test_public_page import WISH

FORM = "/a/maya-okafor/embed"
# As a browser sends it from a frame that the site around it shut in.
SHUT_IN = {"Origin": "null", "Sec-Fetch-Site": "cross-site"}


def token_of(page: str) -> str:
    return page.partition('name="request_key" type="hidden" value="')[2].partition('"')[0]


def wish(world: PortalWorld) -> dict[str, str]:
    return WISH | {"request_key": token_of(world.client().get(FORM).get_data(as_text=True))}


def chosen(*websites: str, name: str = "") -> PublicPageChosen:
    return PublicPageChosen(agent_id="agt_1", name=name, websites=websites)


def test_only_the_form_may_be_framed_and_only_where_its_agent_says(world: PortalWorld) -> None:
    tell(world, agent_saved())
    assert "frame-ancestors *" in world.client().get(FORM).headers["Content-Security-Policy"]
    tell(world, chosen("https://maya.example"))
    headers = world.client().get(FORM).headers
    assert headers["Content-Security-Policy"].endswith("frame-ancestors https://maya.example")
    assert "X-Frame-Options" not in headers
    for page in ("/a/maya-okafor", "/a/maya-okafor/thanks", "/sign-in"):
        others = world.client().get(page).headers
        assert "frame-ancestors 'none'" in others["Content-Security-Policy"]
        assert others["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in world.client().get("/a/nobody/embed").headers["Content-Security-Policy"]


def test_it_asks_without_a_cookie_even_out_of_a_frame_that_has_no_origin(world: PortalWorld) -> None:
    world.wsgi.config["WTF_CSRF_ENABLED"] = True
    tell(world, agent_saved())
    fields = wish(world)
    for _ in range(2):
        answer = world.wsgi.test_client(use_cookies=False).post(FORM, data=fields, headers=SHUT_IN)
        assert answer.status_code == 200
        assert "Thank you" in answer.get_data(as_text=True)
        assert not answer.headers.getlist("Set-Cookie")
    registered, asked = world.published()
    assert isinstance(registered, ClientRegistered)
    assert isinstance(asked, QuoteRequested)


def test_it_runs_no_script_and_offers_no_sign_in_to_whoever_is_signed_in(world: PortalWorld) -> None:
    browser = signed_in(world)
    page = browser.get(FORM)
    html = page.get_data(as_text=True)
    assert "<script" not in html
    assert "sign" not in html.casefold().replace("design", "")
    assert "grace@client.example" not in html
    assert not page.headers.getlist("Set-Cookie")
    browser.post(FORM, data=wish(world))
    asked = world.published()[-1]
    assert isinstance(asked, QuoteRequested)
    assert asked.client_id == ""


@pytest.mark.parametrize("token", ["", "form-1", "x" * 200, "eyJhIjoxfQ.aaaa.bbbb"])
def test_a_form_that_is_none_of_ours_asks_nothing_and_can_be_sent_again(world: PortalWorld, token: str) -> None:
    tell(world, agent_saved())
    answer = world.client().post(FORM, data=WISH | {"request_key": token})
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    assert "send it once more" in html
    assert "A balcony, and whales." in html
    assert world.published() == []
    assert world.client().post(FORM, data=WISH | {"request_key": token_of(html)}).status_code == 200
    assert len(world.published()) == 2


def test_a_token_is_of_one_form_and_of_one_day(world: PortalWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.wsgi.test_request_context():
        token = new_form_token("quote/agt_1")
        assert read_form_token("quote/agt_1", token)
        assert not read_form_token("quote/agt_2", token)
        at = world.clock.now() + timedelta(days=400)
        monkeypatch.setattr("time.time", lambda: at.timestamp() + 10**9)
        assert not read_form_token("quote/agt_1", token)


def test_what_is_wrong_and_a_card_number_are_said_in_the_frame(world: PortalWorld) -> None:
    tell(world, agent_saved())
    fields = wish(world)
    assert "Say where" in world.client().post(FORM, data=fields | {"destination": ""}).get_data(as_text=True)
    refused = world.client().post(FORM, data=fields | {"wishes": "4111 1111 1111 1111"})
    assert refused.status_code == 422
    assert "frame-ancestors *" in refused.headers["Content-Security-Policy"]
    assert "<script" not in refused.get_data(as_text=True)
    assert world.published() == []


def test_a_chosen_name_is_the_address_and_former_ones_lead_on(world: PortalWorld) -> None:
    tell(world, agent_saved(), chosen(name="fjords"), chosen(name="maya-travels"))
    assert world.client().get("/a/maya-travels").status_code == 200
    for former in ("maya-okafor", "fjords", "agt_1"):
        assert world.client().get(f"/a/{former}").headers["Location"] == "/a/maya-travels"
    assert "maya-travels" in {message.name for message in world.page_names()}
    tell(world, chosen(name="fjords"))
    assert world.client().get("/a/fjords").status_code == 200
    assert world.client().get("/a/maya-travels").headers["Location"] == "/a/fjords"
