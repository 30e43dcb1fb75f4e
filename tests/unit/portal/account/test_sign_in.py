from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from chassis.bus.handlers import RetryLater
from chassis.ids import token_sha256
from chassis.web.lockout import FAILURES_ALLOWED
from protos.wayvault.events.v1.events_pb2 import (
    Agency,
    AgencySaved,
    ClientMerged,
    ClientPortalActivated,
    ClientPortalWithdrawn,
)
from services.portal.account.models import AccountRow, ResetRequestRow
from tests.support.portal import PortalWorld
from tests.support.portal_people import (
    ALAN,
    GRACE,
    PASSWORD,
    agent_saved,
    client_saved,
    invited,
    signed_in,
    tell,
    with_account,
)

NEW = "quartz meadow bicycle thunder"


def choose(world: PortalWorld, token: str, password: str = PASSWORD, again: str = "") -> int:
    data = {"token": token, "password": password, "again": again or password}
    return world.client().post("/password", data=data).status_code


def sign_in(world: PortalWorld, username: str = "grace", password: str = PASSWORD) -> int:
    return world.client().post("/sign-in", data={"username": username, "password": password}).status_code


def reset_token(world: PortalWorld) -> str:
    return world.letters.written[-1].data["url"].partition("#")[2]


def test_an_invited_client_chooses_a_password_and_signs_in(world: PortalWorld) -> None:
    tell(world, agent_saved(), invited(world))
    assert choose(world, "invitation") == 303
    assert sign_in(world, " GRACE ") == 303
    (told,) = [one for one in world.published() if isinstance(one, ClientPortalActivated)]
    assert told.client_id == GRACE.id


def test_who_has_chosen_a_password_is_signed_in(world: PortalWorld) -> None:
    tell(world, agent_saved(), invited(world))
    browser = world.client()
    answer = browser.post("/password", data={"token": "invitation", "password": PASSWORD, "again": PASSWORD})
    page = browser.get(answer.location)
    assert page.status_code == 200
    assert "Your password is set, and you are signed in." in page.get_data(as_text=True)


def test_the_page_is_the_agencys_before_anybody_is_signed_in(world: PortalWorld) -> None:
    def title(address: str) -> bool:
        return "Harbour &amp; Vine Travel" in world.client().get(address).get_data(as_text=True)

    assert not title("/password")
    tell(world, AgencySaved(agency=Agency(id="agy_1", name="Harbour & Vine Travel")))
    assert title("/password")
    assert title("/sign-in")
    tell(world, AgencySaved(agency=Agency(id="agy_2", name="Elsewhere")))
    assert not title("/password")
    assert title("/password?agency=agy_1")
    assert not title("/password?agency=nobody")


def test_looking_at_the_link_a_hundred_times_uses_nothing_up(world: PortalWorld) -> None:
    tell(world, invited(world))
    for _ in range(50):
        assert world.client().get("/password").status_code == 200
        assert world.client().head("/password").status_code == 200
    assert choose(world, "invitation") == 303


def test_a_link_works_once(world: PortalWorld) -> None:
    tell(world, invited(world))
    assert choose(world, "invitation") == 303
    assert choose(world, "invitation", NEW) == 422
    assert sign_in(world, password=NEW) == 422


def test_a_link_past_its_end_does_not_work(world: PortalWorld) -> None:
    tell(world, invited(world))
    world.clock.advance(timedelta(days=14))
    assert choose(world, "invitation") == 422


def test_a_further_invitation_voids_the_link_before_it_and_keeps_the_password(world: PortalWorld) -> None:
    tell(world, agent_saved(), invited(world))
    choose(world, "invitation")
    tell(world, invited(world, token="second"), invited(world, token="third"))
    assert choose(world, "second", NEW) == 422
    assert sign_in(world) == 303
    assert choose(world, "third", NEW) == 303
    assert sign_in(world) == 422
    assert len([one for one in world.published() if isinstance(one, ClientPortalActivated)]) == 1


@pytest.mark.parametrize(
    ("password", "again"),
    [
        ("short", "short"),
        ("passwordpassword", "passwordpassword"),
        ("gracehopper1906", "gracehopper1906"),
        (NEW, PASSWORD),
    ],
)
def test_a_poor_or_mistyped_password_is_refused_and_the_link_stays_good(
    world: PortalWorld, password: str, again: str
) -> None:
    tell(world, invited(world))
    assert choose(world, "invitation", password, again) == 422
    assert choose(world, "invitation") == 303


def test_only_hashes_are_stored(world: PortalWorld) -> None:
    with_account(world)
    with world.database.read() as session:
        row = session.scalars(select(AccountRow)).one()
        assert row.password_hash is not None
        assert row.password_hash.startswith("$argon2id$")
        assert row.invitation_sha256 is None


def test_after_ten_failures_the_username_rests_for_thirty_minutes_whether_or_not_it_exists(world: PortalWorld) -> None:
    with_account(world)
    for username in ("grace", "nobody"):
        answers = [sign_in(world, username, "wrong wrong wrong") for _ in range(FAILURES_ALLOWED + 1)]
        assert answers == [422] * FAILURES_ALLOWED + [429]
    assert sign_in(world) == 429
    world.clock.advance(timedelta(minutes=30))
    assert sign_in(world) == 303


def test_strangers_lock_nobody_out_of_a_browser_in_use_and_the_client_is_told_once(world: PortalWorld) -> None:
    browser = signed_in(world)
    browser.post("/sign-out")
    for _ in range(FAILURES_ALLOWED + 3):
        sign_in(world, password="wrong wrong wrong")
    assert sign_in(world) == 429
    (letter,) = [one for one in world.letters.written if one.template == "portal_sign_in_locked"]
    assert (letter.to, letter.data["account"]) == (GRACE.email, "grace")
    assert browser.post("/sign-in", data={"username": "Grace", "password": PASSWORD}).status_code == 303


def test_nobody_is_written_to_about_a_username_that_does_not_exist(world: PortalWorld) -> None:
    with_account(world)
    for _ in range(FAILURES_ALLOWED + 1):
        sign_in(world, "nobody", "wrong wrong wrong")
    assert world.letters.written == []


@pytest.mark.parametrize("cookie", ["", "forged", "ImRldl8xIg.aZ.x"])
def test_a_forged_mark_of_a_known_browser_is_none(world: PortalWorld, cookie: str) -> None:
    with_account(world)
    stranger = world.client()
    stranger.set_cookie("wv_portal_device", cookie)
    for _ in range(FAILURES_ALLOWED):
        stranger.post("/sign-in", data={"username": "grace", "password": "wrong wrong wrong"})
    answer = stranger.post("/sign-in", data={"username": "grace", "password": PASSWORD})
    assert answer.status_code == 429


def test_a_wrong_name_and_a_wrong_password_read_the_same(world: PortalWorld) -> None:
    with_account(world)
    pages = [
        world.client().post("/sign-in", data={"username": name, "password": "wrong wrong wrong"}).get_data(as_text=True)
        for name in ("grace", "gracf")
    ]
    assert pages[0].replace('value="grace"', "").count("match") == pages[1].replace('value="gracf"', "").count("match")
    assert "don&#39;t match" in pages[0]


def test_what_was_typed_stays_but_never_the_password(world: PortalWorld) -> None:
    page = world.client().post("/sign-in", data={"username": "gracf", "password": "a secret of hers"})
    text = page.get_data(as_text=True)
    assert 'value="gracf"' in text
    assert "a secret of hers" not in text


def test_a_session_gets_a_new_token_at_sign_in_and_ends_at_sign_out(world: PortalWorld) -> None:
    browser = signed_in(world)
    first = browser.get_cookie("wv_portal_account_session")
    browser.post("/sign-in", data={"username": "grace", "password": PASSWORD})
    second = browser.get_cookie("wv_portal_account_session")
    assert first is not None
    assert second is not None
    assert first.value != second.value
    browser.post("/sign-out")
    assert browser.get("/account").status_code == 303
    thief = world.client()
    for stolen in (first.value, second.value):
        thief.set_cookie("wv_portal_account_session", stolen)
        assert thief.get("/account").status_code == 303


def test_fifteen_idle_minutes_sign_out(world: PortalWorld) -> None:
    browser = signed_in(world)
    world.clock.advance(timedelta(minutes=14))
    assert browser.get("/account").status_code == 200
    world.clock.advance(timedelta(minutes=15))
    assert browser.get("/account").status_code == 303


def test_a_client_returns_to_the_page_she_asked_for_and_to_no_other_site(world: PortalWorld) -> None:
    with_account(world)
    browser = world.client()
    target = browser.get("/profile").headers["Location"]
    done = browser.post(target, data={"username": "grace", "password": PASSWORD})
    assert done.headers["Location"] == "/profile"
    away = world.client().post("/sign-in?next=//evil.example", data={"username": "grace", "password": PASSWORD})
    assert away.headers["Location"].startswith("/")
    assert "evil" not in away.headers["Location"]


def test_an_opened_payment_link_and_a_sign_in_live_side_by_side(world: PortalWorld) -> None:
    world.issue()
    browser = world.opened()
    with_account(world)
    browser.post("/sign-in", data={"username": "grace", "password": PASSWORD})
    assert browser.get("/pay/lnk_first/authorize").status_code == 200
    assert browser.get("/account").status_code == 200


def test_own_sessions_are_listed_and_can_be_ended_and_nobody_elses(world: PortalWorld) -> None:
    here, there = signed_in(world), signed_in(world)
    foreign = signed_in(world, ALAN, username="alan")
    sessions = world.deps.accounts.sessions.list_for(GRACE.id)
    assert len(sessions) == 2
    alans = world.deps.accounts.sessions.list_for(ALAN.id)[0].id
    assert here.post(f"/account/sessions/{alans}/end").status_code == 404
    assert foreign.get("/account").status_code == 200
    page = here.get("/account").get_data(as_text=True)
    (other,) = [one.id for one in sessions if f"/account/sessions/{one.id}/end" in page]
    assert here.post(f"/account/sessions/{other}/end").status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303


def test_a_changed_password_ends_every_other_session(world: PortalWorld) -> None:
    here, there = signed_in(world), signed_in(world)
    wrong = here.post("/account", data={"old": "not it at all", "password": NEW, "again": NEW})
    assert wrong.status_code == 422
    right = here.post("/account", data={"old": PASSWORD, "password": NEW, "again": NEW})
    assert right.status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303
    assert sign_in(world, password=NEW) == 303


def test_the_answer_to_a_forgotten_password_is_the_same_for_everybody(world: PortalWorld) -> None:
    with_account(world)
    known = world.client().post("/forgotten", data={"username": "grace"})
    unknown = world.client().post("/forgotten", data={"username": "nobody"})
    assert known.status_code == unknown.status_code == 303
    assert known.headers["Location"] == unknown.headers["Location"]
    assert known.data == unknown.data


def test_the_page_of_a_forgotten_password_looks_nobody_up(world: PortalWorld) -> None:
    """What depends on the account happens in the worker, so the time to answer can't tell."""
    with_account(world)
    world.client().post("/forgotten", data={"username": "grace"})
    assert world.letters.written == []
    with world.database.read() as session:
        assert len(session.scalars(select(ResetRequestRow)).all()) == 1


def test_a_reset_link_sets_a_new_password_once_and_ends_every_session(world: PortalWorld) -> None:
    browser = signed_in(world)
    world.client().post("/forgotten", data={"username": "Grace"})
    world.deps.accounts.mail_resets()
    letter = world.letters.written[-1]
    assert (letter.template, letter.to) == ("password_reset", GRACE.email)
    assert sign_in(world) == 303
    assert choose(world, reset_token(world), NEW) == 303
    assert browser.get("/account").status_code == 303
    assert choose(world, reset_token(world), PASSWORD) == 422
    assert sign_in(world, password=NEW) == 303


def test_resets_are_mailed_only_to_who_is_there_and_not_too_often(world: PortalWorld) -> None:
    with_account(world)
    for name in ("nobody", "grace", "grace", "GRACE"):
        world.client().post("/forgotten", data={"username": name})
    world.deps.accounts.mail_resets()
    world.client().post("/forgotten", data={"username": "grace"})
    world.deps.accounts.mail_resets()
    assert len(world.letters.written) == 1
    world.clock.advance(timedelta(minutes=5))
    world.client().post("/forgotten", data={"username": "grace"})
    world.deps.accounts.mail_resets()
    assert len(world.letters.written) == 2
    with world.database.read() as session:
        assert session.scalars(select(ResetRequestRow)).all() == []


def test_a_reset_link_ends_after_an_hour(world: PortalWorld) -> None:
    with_account(world)
    world.deps.accounts.ask_for_reset("grace", "203.0.113.5")
    world.deps.accounts.mail_resets()
    world.clock.advance(timedelta(hours=1))
    assert choose(world, reset_token(world), NEW) == 422


def test_a_withdrawal_closes_everything_at_once_and_an_invitation_opens_it_again(world: PortalWorld) -> None:
    browser = signed_in(world)
    world.deps.accounts.ask_for_reset("grace", "203.0.113.5")
    world.deps.accounts.mail_resets()
    tell(world, ClientPortalWithdrawn(client_id=GRACE.id), ClientPortalWithdrawn(client_id=GRACE.id))
    assert browser.get("/account").status_code == 303
    assert sign_in(world) == 422
    assert choose(world, reset_token(world), NEW) == 422
    tell(world, invited(world, token="again"))
    assert browser.get("/account").status_code == 303
    assert choose(world, "again", NEW) == 303
    assert browser.get("/account").status_code == 303
    assert sign_in(world, password=NEW) == 303


def test_the_same_invitation_told_twice_is_one(world: PortalWorld) -> None:
    message = invited(world)
    tell(world, message, message)
    assert choose(world, "invitation") == 303


def test_a_username_that_another_client_still_has_waits_for_her(world: PortalWorld) -> None:
    with_account(world)
    with pytest.raises(RetryLater):
        tell(world, invited(world, ALAN, username="Grace", token="alans"))
    tell(world, ClientPortalWithdrawn(client_id=GRACE.id), invited(world, ALAN, username="Grace", token="alans"))
    assert choose(world, "alans") == 303


def test_a_new_name_and_address_from_the_crm_reach_the_account(world: PortalWorld) -> None:
    with_account(world)
    moved = type(GRACE)()
    moved.CopyFrom(GRACE)
    moved.email = "grace@new.example"
    tell(world, client_saved(moved))
    world.deps.accounts.ask_for_reset("grace", "203.0.113.5")
    world.deps.accounts.mail_resets()
    assert world.letters.written[-1].to == "grace@new.example"


def test_access_follows_a_merge_and_the_one_in_use_stays(world: PortalWorld) -> None:
    tell(world, agent_saved(), client_saved(GRACE), invited(world, GRACE, token="unused"))
    browser = signed_in(world, ALAN, username="alan")
    tell(world, ClientMerged(kept_client_id=GRACE.id, merged_client_id=ALAN.id, agent_id="agt_1"))
    assert browser.get("/account").status_code == 200
    found = world.deps.accounts.find(GRACE.id)
    assert found is not None
    assert found.username == "alan"
    assert world.deps.accounts.find(ALAN.id) is None


def test_a_letter_of_the_portal_names_the_link_only_in_its_sealed_part(world: PortalWorld) -> None:
    with_account(world)
    world.deps.accounts.ask_for_reset("grace", "203.0.113.5")
    world.deps.accounts.mail_resets()
    token = reset_token(world)
    with world.database.read() as session:
        row = session.scalars(select(AccountRow)).one()
        assert row.reset_sha256 == token_sha256(token)
    assert all(token.encode() not in one.SerializeToString() for one in world.published())


def test_every_post_wants_its_proof_against_forgery(world: PortalWorld) -> None:
    browser = world.strict_client()
    for path in ("/sign-in", "/password", "/forgotten", "/sign-out"):
        assert browser.post(path, data={"username": "x"}).status_code == 400


def test_a_card_number_in_a_username_is_refused_and_not_echoed(world: PortalWorld) -> None:
    answer = world.client().post("/sign-in", data={"username": "4111 1111 1111 1111", "password": "x"})
    assert answer.status_code == 422
    assert "4111" not in answer.get_data(as_text=True)


def test_one_address_asks_for_twenty_links_an_hour_whoever_is_meant(world: PortalWorld) -> None:
    browser = world.client()
    answers = [browser.post("/forgotten", data={"username": f"anybody.{n}"}).status_code for n in range(22)]
    assert answers == [303] * 20 + [429] * 2
    world.clock.advance(timedelta(hours=1))
    assert browser.post("/forgotten", data={"username": "anybody.1"}).status_code == 303


def test_a_name_that_nobody_has_costs_the_same_work_as_a_wrong_password(
    world: PortalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time would tell: a hash is computed for every try, whoever is meant."""
    with_account(world)
    computed: list[bool] = []
    real = PasswordHasher.verify

    def counting(hasher: PasswordHasher, *arguments: str) -> object:
        computed.append(True)
        return real(hasher, *arguments)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    work = []
    for username in ("grace", "nobody.at.all"):
        computed.clear()
        world.client().post("/sign-in", data={"username": username, "password": "this is not it at all"})
        work.append(len(computed))
    assert work == [1, 1]
