"""The pages of profile, merge, tasks and dashboard, as a browser sees them."""

import re
from datetime import date

import pytest

from services.crm.sales.clients.rules import FamilyMember, Occasion, OccasionKind, Relation
from services.crm.sales.clients.service import ClientData
from tests.support.crm_paying import CrmHouse


def test_a_merge_is_picked_previewed_and_done_in_the_browser(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    twin = crm.deps.sales.clients.create(
        crm.maya, ClientData(first_name="Alan", last_name="Turing", phone="+1 305 555 0142")
    )
    assert twin.id in browser.get(f"/clients/{crm.alan_id}/merge").text
    preview = browser.get(f"/clients/{crm.alan_id}/merge/{twin.id}")
    assert preview.status_code == 200
    assert "+1 305 555 0142" in preview.text
    assert "alan@client.example" in preview.text
    assert preview.text.count('data-label="Stays"') == preview.text.count('data-label="Is merged into it"') > 0
    assert not re.search(r">[^<]*\b\d{4}-\d\d-\d\d\b", preview.text)
    assert "1 bookings" not in preview.text
    done = browser.post(
        f"/clients/{crm.alan_id}/merge/{twin.id}", {"kept_version": "1", "other_version": "1", "side-phone": "other"}
    )
    assert done.status_code == 303
    page = browser.get(done.headers["Location"])
    assert "Maya Okafor merged Alan Turing into Alan Turing" in page.text
    moved = browser.get(f"/clients/{twin.id}")
    assert (moved.status_code, moved.headers["Location"]) == (301, f"/clients/{crm.alan_id}")
    assert browser.get(f"/clients/{twin.id}/edit").headers["Location"] == f"/clients/{crm.alan_id}/edit"
    assert crm.browser(crm.jonas).get(f"/clients/{twin.id}").status_code == 404


def test_a_merge_form_opened_on_older_profiles_is_refused_and_keeps_the_choice(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    address = f"/clients/{crm.alan_id}/merge/{crm.tim_id}"
    browser.get(address)
    tim = crm.deps.sales.clients.get(crm.maya, crm.tim_id)
    crm.deps.sales.clients.change(
        crm.maya, tim.id, ClientData(first_name="Timothy", last_name="Turing"), version=tim.version
    )
    refused = browser.post(address, {"kept_version": "1", "other_version": "1", "side-first_name": "other"})
    assert refused.status_code == 422
    assert "Timothy" in refused.text
    assert 'value="other" aria-describedby="label-first_name" checked' in refused.text


@pytest.mark.parametrize("agent", ["jonas", "ada"])
def test_only_the_agent_of_both_merges(crm: CrmHouse, agent: str) -> None:
    browser = crm.browser(getattr(crm, agent))
    status = {"jonas": 404, "ada": 403}[agent]
    assert browser.get(f"/clients/{crm.alan_id}/merge").status_code == status
    assert browser.get(f"/clients/{crm.alan_id}/merge/{crm.tim_id}").status_code == status
    assert browser.post(f"/clients/{crm.alan_id}/merge/{crm.tim_id}").status_code == status


def test_family_and_occasions_are_added_changed_and_removed(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    home = f"/clients/{crm.grace_id}"
    wrong = browser.post(
        f"{home}/family/new", {"first_name": "", "relation": "child", "last_name": "", "born_on": "1950-05-05"}
    )
    assert wrong.status_code == 422
    assert "Enter a first name, a last name, or both." in wrong.text
    assert "1950-05-05" in wrong.text
    added = browser.post(f"{home}/family/new", {"first_name": "Ann", "relation": "child", "born_on": "2015-02-01"})
    assert added.status_code == 303
    [member] = crm.deps.sales.profiles.household(crm.maya, crm.grace_id).family
    assert browser.post(f"{home}/family/{member.id}", {"first_name": "Anna", "relation": "child"}).status_code == 303
    assert "Anna" in browser.get(home).text
    assert browser.post(f"{home}/family/{member.id}/remove").status_code == 303
    leap = {"kind": "anniversary", "label": "", "day": "29", "month": "2", "year": ""}
    assert browser.post(f"{home}/occasions/new", {**leap, "year": "2023"}).status_code == 422
    assert browser.post(f"{home}/occasions/new", leap).status_code == 303
    household = crm.deps.sales.profiles.household(crm.maya, crm.grace_id)
    assert household.family == ()
    assert (household.occasions[0].label, household.occasions[0].year_known) == ("Anniversary", False)
    foreign = f"/clients/{crm.alan_id}/occasions/{household.occasions[0].id}"
    assert browser.get(foreign).status_code == 404
    assert browser.post(f"{foreign}/remove").status_code == 404
    assert browser.post(f"{home}/occasions/{household.occasions[0].id}/remove").status_code == 303


def test_a_task_is_added_done_and_taken_back(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    browser.get("/")
    empty = browser.post(f"/clients/{crm.grace_id}/tasks", {"title": " ", "due_on": "2026-11-30"})
    assert empty.status_code == 422
    assert "2026-11-30" in empty.text
    browser.post(f"/clients/{crm.grace_id}/tasks", {"title": "Ask about the cabin", "due_on": "2026-11-01"})
    board = browser.get("/").text
    assert "Ask about the cabin" in board
    assert "Overdue" in board
    [task] = crm.deps.sales.tasks.on_desk(crm.maya)[0]
    assert crm.browser(crm.jonas).post(f"/tasks/{task.id}/done").status_code == 404
    assert crm.browser(crm.ada).post(f"/tasks/{task.id}/done").status_code == 403
    assert browser.post(f"/tasks/{task.id}/done", {"from": "dashboard"}).headers["Location"] == "/"
    assert crm.deps.sales.tasks.on_desk(crm.maya)[0] == []
    assert "Undo: " in browser.get("/").text
    browser.post(f"/tasks/{task.id}/undo")
    assert [each.title for each in crm.deps.sales.tasks.on_desk(crm.maya)[0]] == ["Ask about the cabin"]


def test_the_dashboard_shows_the_next_celebrations_across_the_turn_of_the_year(crm: CrmHouse) -> None:
    profiles = crm.deps.sales.profiles
    profiles.save_occasion(
        crm.maya,
        crm.grace_id,
        Occasion(kind=OccasionKind.ANNIVERSARY, label="Wedding anniversary", first_on=date(2016, 1, 4)),
    )
    profiles.save_member(
        crm.maya, crm.grace_id, FamilyMember(first_name="Ann", relation=Relation.CHILD, born_on=date(2015, 12, 24))
    )
    crm.deps.sales.clients.create(crm.maya, ClientData(first_name="Far", last_name="Off", birthday=date(1980, 3, 1)))
    found = profiles.upcoming(crm.maya, date(2026, 12, 10))
    assert [(each.about, each.on, each.years) for each in found] == [
        ("Ann", date(2026, 12, 24), 11),
        ("Wedding anniversary", date(2027, 1, 4), 11),
    ]
    assert profiles.upcoming(crm.jonas, date(2026, 12, 10)) == []
    crm.deps.sales.clients.create(crm.maya, ClientData(first_name="Leap", last_name="Day", birthday=date(1992, 2, 29)))
    assert date(2027, 3, 1) in [each.on for each in profiles.upcoming(crm.maya, date(2027, 2, 27))]
    assert date(2027, 3, 1) in [each.on for each in profiles.upcoming(crm.maya, date(2027, 3, 1))]
