"""Clients whose session ends while they write or sign."""

import json
import re
from datetime import timedelta

from werkzeug.test import TestResponse

from tests.support.portal import PortalWorld
from tests.support.portal_papers import REQUEST, TOKEN, form, opened, request_document
from tests.support.portal_people import PASSWORD, signed_in


def draft_on(page: TestResponse) -> dict[str, str]:
    found = re.search(r'id="wv-draft">(.*?)</script>', page.text, re.DOTALL)
    return dict(json.loads(found.group(1))["fields"]) if found else {}


def test_a_profile_typed_too_long_stands_there_again_after_signing_in(world: PortalWorld) -> None:
    browser = signed_in(world)
    world.clock.advance(timedelta(minutes=61))
    typed = {"first_name": "Grace", "street": "1 Long Wharf", "phone": "+1 617 555 0142"}
    refused = browser.post("/profile/edit", data=typed)
    assert refused.location == "/sign-in?next=/profile/edit"
    again = browser.post(refused.location, data={"username": "grace", "password": PASSWORD})
    assert draft_on(browser.get(again.location)) == typed


def test_a_drawn_signature_waits_for_who_opens_the_link_again(world: PortalWorld) -> None:
    request_document(world)
    browser = opened(world)
    world.clock.advance(timedelta(minutes=61))
    page = f"/sign/{REQUEST}/read"
    signed = form(signature_kind="drawn", signature_image="data:image/png;base64,AAAA")
    refused = browser.post(page, data=signed, headers={"Referer": f"http://localhost{page}"})
    assert refused.status_code == 303
    assert draft_on(browser.get(refused.location)) == {}
    assert browser.post(f"/sign/{REQUEST}/open", data={"token": TOKEN}).status_code == 303
    assert draft_on(browser.get(page)) == signed
    # Somebody else who opened the link in a browser of their own sees nothing of it.
    assert draft_on(opened(world).get(page)) == {}
