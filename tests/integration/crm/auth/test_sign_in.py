import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest

from chassis.web.lockout import FAILURES_ALLOWED
from services.crm.access.auth.service import Accepted, Rejected
from tests.support.crm_site import PASSWORD, Browser, CrmSite, alike, text_of

WRONG = "not the password at all"


def test_password_and_code_open_the_desk_at_the_page_that_was_asked_for(site: CrmSite) -> None:
    browser = site.browser()
    asked = browser.get("/bookings?status=booked")
    assert asked.status_code == 303
    assert asked.location == "/sign-in?next=/bookings?status%3Dbooked"
    browser.get(asked.location)
    step = browser.post(asked.location, {"email": site.maya.email, "password": PASSWORD})
    assert step.location == "/sign-in/code?next=/bookings?status%3Dbooked"
    browser.get(step.location)
    done = browser.post(step.location, {"code": site.code(site.maya.email)})
    assert done.location == "/bookings?status=booked"
    assert browser.get(done.location).status_code == 200


def test_the_password_alone_opens_nothing(site: CrmSite) -> None:
    browser = site.browser()
    site.give_password(browser, site.maya.email)
    for path in ("/", "/bookings", "/clients", "/account", f"/bookings/{site.booking.id}"):
        assert browser.get(path).location.startswith("/sign-in")


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "/a\nb", "javascript:x"]
)
def test_sign_in_never_leads_to_another_site(site: CrmSite, target: str) -> None:
    browser = site.browser()
    browser.get("/sign-in", query_string={"next": target})
    browser.post("/sign-in", {"email": site.maya.email, "password": PASSWORD}, query_string={"next": target})
    browser.get("/sign-in/code", query_string={"next": target})
    done = browser.post("/sign-in/code", {"code": site.code(site.maya.email)}, query_string={"next": target})
    assert done.location == "/"


def test_an_authenticator_code_works_once(site: CrmSite) -> None:
    code = site.code(site.maya.email)
    first, second = site.browser(), site.browser()
    for browser in (first, second):
        site.give_password(browser, site.maya.email)
        browser.get("/sign-in/code")
    assert first.post("/sign-in/code", {"code": code}).status_code == 303
    refused = second.post("/sign-in/code", {"code": code})
    assert refused.status_code == 422
    assert "used already" in text_of(refused)
    site.next_step()
    assert second.post("/sign-in/code", {"code": site.code(site.maya.email)}).status_code == 303


def test_one_code_used_in_eight_windows_at_once_opens_one(site: CrmSite) -> None:
    code = site.code(site.maya.email)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: site.deps.access.sign_in.check_code(site.maya.agent_id, code), range(8)))
    assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 1


def test_the_code_before_the_last_used_one_is_refused_too(site: CrmSite) -> None:
    earlier = site.code(site.maya.email)
    site.next_step()
    assert isinstance(site.deps.access.sign_in.check_code(site.maya.agent_id, site.code(site.maya.email)), Accepted)
    assert isinstance(site.deps.access.sign_in.check_code(site.maya.agent_id, earlier), Rejected)


def test_ten_failures_lock_for_thirty_minutes_even_across_a_restart(site: CrmSite) -> None:
    browser = site.browser()
    for _ in range(FAILURES_ALLOWED):
        assert site.give_password(browser, site.maya.email, WRONG).status_code == 422
    site.restart()
    browser = site.browser()
    locked = site.give_password(browser, site.maya.email)
    assert locked.status_code == 429
    assert "30 minutes" in text_of(locked)
    site.clock.advance(timedelta(minutes=30))
    assert site.give_password(browser, site.maya.email).status_code == 303


def test_ten_wrong_passwords_from_afar_keep_nobody_out_of_a_browser_in_use(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    browser.post("/sign-out")
    for _ in range(FAILURES_ALLOWED + 1):
        site.give_password(site.browser(), site.maya.email, WRONG)
    assert site.give_password(site.browser(), site.maya.email).status_code == 429
    site.next_step()
    assert site.give_password(browser, site.maya.email).status_code == 303
    browser.get("/sign-in/code")
    assert browser.post("/sign-in/code", {"code": site.code(site.maya.email)}).status_code == 303
    (letter,) = [one for one in site.letters.written if one.template == "sign_in_locked"]
    assert (letter.to, letter.data["minutes"]) == (site.maya.email, "30")


def test_wrong_authenticator_codes_count_towards_the_lock(site: CrmSite) -> None:
    browser = site.browser()
    site.give_password(browser, site.maya.email)
    browser.get("/sign-in/code")
    right = site.code(site.maya.email)
    wrong = "000000" if right != "000000" else "000001"
    for _ in range(FAILURES_ALLOWED):
        browser.post("/sign-in/code", {"code": wrong})
    assert browser.post("/sign-in/code", {"code": right}).status_code == 429
    assert site.give_password(site.browser(), site.maya.email).status_code == 429


def test_guessing_in_parallel_gets_no_more_than_ten_tries(site: CrmSite) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: site.deps.access.sign_in.check_password(site.maya.email, WRONG), range(30)))
    judged = [outcome for outcome in outcomes if isinstance(outcome, Rejected) and not outcome.locked]
    assert len(judged) == FAILURES_ALLOWED


def test_a_right_sign_in_forgives_earlier_failures(site: CrmSite) -> None:
    for _ in range(FAILURES_ALLOWED - 1):
        site.give_password(site.browser(), site.maya.email, WRONG)
    site.signed_in(site.maya)
    for _ in range(FAILURES_ALLOWED - 1):
        assert site.give_password(site.browser(), site.maya.email, WRONG).status_code == 422


def _answer(browser: Browser, site: CrmSite, email: str) -> tuple[int, str]:
    response = site.give_password(browser, email, WRONG)
    return response.status_code, alike(browser, response).replace(email, "")


def test_nothing_tells_whether_an_account_exists_before_or_after_the_lock(site: CrmSite) -> None:
    known, unknown = site.browser(), site.browser()
    for _ in range(FAILURES_ALLOWED + 2):
        assert _answer(known, site, site.maya.email) == _answer(unknown, site, "nobody@harbour.example")


def test_an_unknown_address_costs_the_same_work_as_a_known_one(site: CrmSite, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str | None] = []

    def note(stored: str | None, given: str) -> bool:
        verified.append(stored)
        return False

    monkeypatch.setattr(site.deps.access.sign_in._passwords, "verify", note)
    site.deps.access.sign_in.check_password(site.maya.email, WRONG)
    site.deps.access.sign_in.check_password("nobody@harbour.example", WRONG)
    assert len(verified) == 2


def test_the_session_token_changes_at_every_step(site: CrmSite) -> None:
    browser = site.browser()
    tokens = []
    site.give_password(browser, site.maya.email)
    tokens.append(browser.client.get_cookie("wv_crm_session"))
    browser.get("/sign-in/code")
    browser.post("/sign-in/code", {"code": site.code(site.maya.email)})
    tokens.append(browser.client.get_cookie("wv_crm_session"))
    assert all(tokens)
    assert tokens[0].value != tokens[1].value  # type: ignore[union-attr]
    assert tokens[1].http_only  # type: ignore[union-attr]


def test_fifteen_idle_minutes_end_the_session_on_the_server(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    site.clock.advance(timedelta(minutes=14, seconds=50))
    assert browser.get("/bookings").status_code == 200
    site.clock.advance(timedelta(minutes=15))
    away = browser.get("/bookings")
    assert away.location.startswith("/sign-in")


def test_signing_out_ends_the_session_in_the_database(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    cookie = browser.client.get_cookie("wv_crm_session")
    assert browser.post("/sign-out").location == "/sign-in"
    thief = site.browser()
    assert cookie is not None
    thief.client.set_cookie("wv_crm_session", cookie.value)
    assert thief.get("/").location == "/sign-in"


def test_own_sessions_are_listed_and_can_be_ended(site: CrmSite) -> None:
    here, elsewhere = site.signed_in(site.maya), site.signed_in(site.maya)
    page = here.get("/account")
    (ending,) = re.findall(r"/account/sessions/[a-z0-9_]+/end", page.text)
    assert here.post(ending).status_code == 303
    assert elsewhere.get("/").location == "/sign-in"
    assert here.get("/").status_code == 200


def test_nobody_can_end_somebody_elses_session(site: CrmSite) -> None:
    maya, jonas = site.signed_in(site.maya), site.signed_in(site.jonas)
    (session,) = site.deps.core.sessions.list_for(site.maya.agent_id)
    assert jonas.post(f"/account/sessions/{session.id}/end").status_code == 404
    assert maya.get("/").status_code == 200


def test_a_deactivated_agent_is_out_at_once(site: CrmSite) -> None:
    maya, ada = site.signed_in(site.maya), site.signed_in(site.ada)
    page = ada.get(f"/agency/agents/{site.maya.agent_id}")
    version = re.search(r'name="version"[^>]*value="(\d+)"', page.text)
    assert version is not None
    form = {"name": "Maya Okafor", "time_zone": "America/New_York", "role": "agent", "version": version.group(1)}
    assert ada.post(f"/agency/agents/{site.maya.agent_id}", {**form, "email": site.maya.email}).status_code == 303
    assert maya.get("/").location == "/sign-in"
    assert site.give_password(site.browser(), site.maya.email).status_code == 422


def test_at_the_first_sign_in_the_authenticator_is_set_up_with_a_qr_code(site: CrmSite) -> None:
    site.deps.access.sign_in.reset_authenticator(site.jonas.agent_id)
    browser = site.browser()
    assert site.give_password(browser, site.jonas.email).location == "/sign-in/set-up"
    page = browser.get("/sign-in/set-up")
    assert 'src="data:image/svg+xml' in page.text
    secret = re.search(r'id="authenticator-secret">([A-Z2-7 ]+)<', page.text)
    assert secret is not None
    again = browser.get("/sign-in/set-up")
    assert secret.group(1) in again.text
    totp = pyotp.TOTP(secret.group(1).replace(" ", ""))
    right = totp.at(site.clock.now())
    assert browser.post("/sign-in/set-up", {"code": "123456" if right != "123456" else "654321"}).status_code == 422
    assert browser.post("/sign-in/set-up", {"code": right}).location == "/"
    assert browser.get("/").status_code == 200


def test_an_authenticator_in_use_is_never_shown_again(site: CrmSite) -> None:
    browser = site.browser()
    site.give_password(browser, site.maya.email)
    assert browser.get("/sign-in/set-up").location == "/sign-in/code"


def test_an_invitation_sets_the_first_password_once(site: CrmSite) -> None:
    token = site.deps.access.sign_in.invite(site.jonas.agent_id)
    browser = site.browser()
    browser.get("/invitation")
    chosen = {"token": token, "password": "copper meadow skylark violin", "again": "copper meadow skylark violin"}
    weak = browser.post("/invitation", {**chosen, "password": "password1234", "again": "password1234"})
    assert weak.status_code == 422
    assert token in weak.text
    assert browser.post("/invitation", chosen).location == "/sign-in"
    assert site.give_password(site.browser(), site.jonas.email, chosen["password"]).status_code == 303
    assert "was used already" in text_of(browser.post("/invitation", chosen))


def test_an_invitation_lapses_after_a_week_and_a_newer_one_voids_it(site: CrmSite) -> None:
    first = site.deps.access.sign_in.invite(site.jonas.agent_id)
    second = site.deps.access.sign_in.invite(site.jonas.agent_id)
    assert site.deps.access.sign_in.invited(first) is None
    assert site.deps.access.sign_in.invited(second) is not None
    site.clock.advance(timedelta(days=7))
    assert site.deps.access.sign_in.invited(second) is None


def test_a_new_password_ends_every_other_session(site: CrmSite) -> None:
    here, elsewhere = site.signed_in(site.maya), site.signed_in(site.maya)
    new = "copper meadow skylark violin"
    wrong = here.post("/account", {"old": WRONG, "new": new, "again": new})
    assert wrong.status_code == 422
    assert "not your current password" in text_of(wrong)
    assert here.post("/account", {"old": PASSWORD, "new": new, "again": new}).status_code == 303
    assert elsewhere.get("/").location == "/sign-in"
    assert here.get("/").status_code == 200


def test_the_sign_in_pages_carry_the_script_that_keeps_a_links_fragment(site: CrmSite) -> None:
    browser = site.browser()
    assert "sign-in.js" in browser.get("/sign-in?next=/cvv").text
    site.give_password(browser, site.maya.email)
    assert "sign-in.js" in browser.get("/sign-in/code?next=/cvv").text


def test_old_failures_are_forgotten(site: CrmSite) -> None:
    site.give_password(site.browser(), "stranger@nowhere.example", WRONG)
    site.clock.advance(timedelta(days=2))
    site.deps.access.sign_in.sweep()
    with site.database.read() as session:
        from services.crm.access.auth.models import SignInAttemptRow

        assert session.query(SignInAttemptRow).count() == 0
