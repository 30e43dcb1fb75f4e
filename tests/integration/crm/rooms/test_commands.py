import json
import re
import stat
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.crm.__main__ import main
from services.crm.migrations import MIGRATIONS
from services.crm.sales.clients.service import ClientFilter
from services.crm.trips.bookings.service import BookingFilter
from services.crm_demo.service import demo_code, import_demo
from tests.support.crm_site import CrmSite


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of a CRM that was migrated, with the settings that point to it."""
    key = tmp_path / "secrets" / "crm" / "secret_key"
    key.parent.mkdir(parents=True)
    key.write_text("a secret key that only this test run has")
    monkeypatch.setenv("CRM_STATE_DIR", str(tmp_path))
    assert main(["migrate"]) == 0
    return tmp_path


def test_the_migrations_lead_to_the_models(home: Path) -> None:
    MIGRATIONS.check(f"sqlite:///{home}/crm/crm.db")


def test_the_migrations_lead_to_the_models_on_postgresql(postgres_url: str) -> None:
    MIGRATIONS.upgrade(postgres_url)
    MIGRATIONS.check(postgres_url)


def test_an_operator_makes_an_agency_and_invites_an_agent(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["create-agency", "--name", "Quay Travel"]) == 0
    agency_id = capsys.readouterr().out.strip()
    agent = ["create-agent", "--agency", agency_id, "--name", "Lena Vogt", "--email", "lena@quay.example"]
    assert main(["create-agency", "--name", "Quay Travel"]) == 0
    assert capsys.readouterr().out.strip() == agency_id, "made once"
    assert main([*agent, "--role", "admin", "--check"]) == 0
    assert "Would make, and print a link for, Lena Vogt" in capsys.readouterr().out
    assert main([*agent, "--role", "admin"]) == 0
    first = capsys.readouterr().out
    assert main([*agent, "--role", "admin"]) == 0
    again = capsys.readouterr().out
    assert again.splitlines()[0] == first.splitlines()[0], "made once, with a fresh link"
    assert re.search(r"http://crm\.localhost:8101/invitation#\S{40,}", first)
    assert main(agent) == 1
    assert "signs in with this address already" in capsys.readouterr().err
    assert main(["invite-agent", "--email", "lena@quay.example"]) == 0
    assert main(["invite-agent", "--email", "nobody@quay.example"]) == 1


def test_an_operator_is_told_what_a_command_would_do_to_an_agent(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["create-agency", "--name", "Quay Travel", "--check"]) == 0
    assert capsys.readouterr().out == "Would make Quay Travel.\n"
    assert main(["create-agency", "--name", "Quay Travel", "--time-zone", "Moon", "--check"]) == 1
    assert main(["create-agency", "--name", "Quay Travel"]) == 0
    agency_id = capsys.readouterr().out.strip()
    agent = ["create-agent", "--agency", agency_id, "--name", "Lena Vogt", "--email", "lena@quay.example"]
    assert main([*agent, "--check"]) == 0
    assert main(["invite-agent", "--email", "lena@quay.example"]) == 1, "nobody was made"
    assert main(agent) == 0
    lena = ["--email", "lena@quay.example", "--check"]
    capsys.readouterr()
    for command, words in (
        (["invite-agent"], "make a fresh link for Lena Vogt"),
        (["set-password"], "ask for a new password of Lena Vogt"),
        (["reset-authenticator"], "forget the authenticator of Lena Vogt"),
        (["change-agent-email", "--new-email", "vogt@quay.example"], "let Lena Vogt sign in with vogt@quay.example"),
    ):
        assert main([*command, *lena]) == 0
        assert f"Would {words}" in capsys.readouterr().out
    assert main(["change-agent-email", "--new-email", "no address", *lena]) == 1
    assert main(["invite-agent", *lena]) == 0, "the address is the old one"


def test_a_database_that_was_never_migrated_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CRM_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("CRM_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    monkeypatch.setenv("CRM_SECRET_KEY", "k" * 40)
    assert main(["migrate", "--check"]) == 0
    assert "0001_initial" in capsys.readouterr().out
    assert not (tmp_path / "none.db").exists()
    assert main(["create-agency", "--name", "Quay Travel"]) == 1
    assert "Was it migrated?" in capsys.readouterr().err


def test_check_config_names_every_setting_and_no_secret(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-config"]) == 1
    out = capsys.readouterr().out
    assert "CRM_VAULT_ADDRESS = 127.0.0.1:8105" in out
    assert "only this test run" not in out


def test_the_demo_of_another_database_is_not_taken_for_this_ones(site: CrmSite, tmp_path: Path) -> None:
    for agent, email in ((site.maya, "one@harbour.example"), (site.ada, "two@harbour.example")):
        site.deps.access.directory.change_email(agent.agent_id, email)
    site.deps.access.directory.change_email(site.jonas.agent_id, "three@harbour.example")
    file = tmp_path / "demo.json"
    made = import_demo(site.deps, file, crowd_percent=0)
    elsewhere = json.loads(file.read_text())
    for agent in elsewhere["agents"]:
        agent["id"] = agent["id"].replace("agent_", "agent_x")
    elsewhere["password"] = "lantern of another database"
    file.write_text(json.dumps(elsewhere))
    again = import_demo(site.deps, file, crowd_percent=0)
    assert [agent.id for agent in again] == [agent.id for agent in made]
    browser = site.browser()
    assert site.give_password(browser, "maya@harbour.example", "lantern of another database").location
    browser.get("/sign-in/code")
    site.clock.advance(timedelta(seconds=60))
    assert browser.post("/sign-in/code", {"code": demo_code(file, "maya", site.clock)[1]}).location == "/"


def test_the_demo_is_made_once_and_its_agents_can_sign_in(site: CrmSite, tmp_path: Path) -> None:
    site.deps.access.directory.change_email(site.maya.agent_id, "other@harbour.example")
    site.deps.access.directory.change_email(site.ada.agent_id, "other2@harbour.example")
    site.deps.access.directory.change_email(site.jonas.agent_id, "other3@harbour.example")
    file = tmp_path / "demo.json"
    made = import_demo(site.deps, file)
    maya = next(agent for agent in made if agent.email == "maya@harbour.example")
    actor = site.deps.access.directory.actor(maya.id)
    assert actor is not None
    counts = [
        len(site.deps.sales.clients.export(actor, ClientFilter())),
        len(site.deps.trips.bookings.export(actor, BookingFilter())),
    ]
    assert min(counts) > 100
    waiting, _ = site.deps.sales.tasks.on_desk(actor)
    assert "Welcome Philippa Sandoval, who registered on your public page" in [task.title for task in waiting]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert import_demo(site.deps, file) == made
    orders = site.deps.paying.standing_orders.list_page(actor, 1).items
    assert sorted((order.state.value, order.made) for order in orders) == [
        ("active", 2),
        ("active", 3),
        ("completed", 3),
        ("paused", 1),
    ]
    assert [order.note for order in orders if order.note] == ["There is not enough money on the card."]
    ahead = site.deps.paying.standing_orders.ahead(actor, site.clock.now().date(), date(2027, 2, 1))
    assert ahead.charges
    assert counts[0] == len(site.deps.sales.clients.export(actor, ClientFilter()))
    assert counts[1] == len(site.deps.trips.bookings.export(actor, BookingFilter()))
    browser = site.browser()
    assert site.give_password(browser, maya.email, made[0].password).location == "/sign-in/code"
    browser.get("/sign-in/code")
    _, code, seconds = demo_code(file, "maya", site.clock)
    assert 0 < seconds <= 30
    assert browser.post("/sign-in/code", {"code": code}).location == "/"
    jonas = json.loads(file.read_text())["agents"][2]
    assert jonas["totp_secret"] is None
    other = site.browser()
    assert site.give_password(other, "jonas@harbour.example", made[0].password).location == "/sign-in/set-up"
