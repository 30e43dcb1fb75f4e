from datetime import timedelta

import pytest
from google.protobuf.message import Message

from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import ClientMerged, ClientProfile, ClientProfileChanged, FamilyMember
from tests.support.portal import PortalWorld
from tests.support.portal_people import ALAN, GRACE, PASSWORD, client_saved, signed_in, tell

DETAILS = {
    "first_name": "Grace",
    "last_name": "Hopper",
    "email": "grace@client.example",
    "phone": "+1 212 555 0101",
    "street": "12 Long Lane",
    "city": "Springfield",
    "region": "Illinois",
    "postal_code": "62701",
    "country": "US",
    "birthday": "1906-12-09",
}


def changes(world: PortalWorld) -> list[ClientProfile]:
    return [one.profile for one in world.published() if isinstance(one, ClientProfileChanged)]


def version(world: PortalWorld) -> str:
    return str(world.deps.profiles.get(GRACE.id).version)


def test_a_client_changes_her_details_and_the_crm_learns_which(world: PortalWorld) -> None:
    browser = signed_in(world)
    done = browser.post("/profile/edit", data=DETAILS | {"version": version(world)})
    assert done.status_code == 303
    (told,) = changes(world)
    assert told.client.phone == "+1 212 555 0101"
    assert told.address.line1 == "12 Long Lane"
    assert set(told.field_changed_at) == {"phone", "address", "birthday"}
    page = browser.get("/profile").get_data(as_text=True)
    assert "12 Long Lane" in page
    assert "Sun 9 Dec 1906" in page


def test_saving_without_a_change_tells_nobody_anything(world: PortalWorld) -> None:
    browser = signed_in(world)
    browser.post("/profile/edit", data=DETAILS | {"version": version(world)})
    browser.post("/profile/edit", data=DETAILS | {"version": version(world)})
    assert len(changes(world)) == 1


def test_what_the_agent_changed_meanwhile_is_not_overwritten_and_what_was_typed_stays(world: PortalWorld) -> None:
    browser = signed_in(world)
    old = version(world)
    newer = ClientProfile(client=GRACE)
    newer.client.phone = "+1 917 555 0188"
    newer.field_changed_at["phone"].CopyFrom(stamp(world.clock.now()))
    tell(world, client_saved(GRACE, newer))
    answer = browser.post("/profile/edit", data=DETAILS | {"version": old, "city": "Chicago"})
    assert answer.status_code == 422
    assert "Chicago" in answer.get_data(as_text=True)
    assert changes(world) == []
    again = browser.post("/profile/edit", data=DETAILS | {"version": version(world), "city": "Chicago"})
    assert again.status_code == 303


def test_a_new_e_mail_address_takes_the_present_password(world: PortalWorld) -> None:
    browser = signed_in(world)
    moved = DETAILS | {"email": "grace@new.example", "version": version(world)}
    assert browser.post("/profile/edit", data=moved).status_code == 422
    assert browser.post("/profile/edit", data=moved | {"present_password": "not hers"}).status_code == 422
    assert changes(world) == []
    assert browser.post("/profile/edit", data=moved | {"present_password": PASSWORD}).status_code == 303
    assert changes(world)[0].client.email == "grace@new.example"


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_name": " ", "last_name": "\u3164"},
        {"email": "no address"},
        {"phone": "call me"},
        {"birthday": "2999-01-01"},
        {"country": "XX"},
    ],
)
def test_a_wrong_entry_is_said_and_changes_nothing(world: PortalWorld, wrong: dict[str, str]) -> None:
    browser = signed_in(world)
    assert browser.post("/profile/edit", data=DETAILS | {"version": version(world)} | wrong).status_code == 422
    assert changes(world) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"day": "99999999999"}, "Enter a day from 1 to 31."),
        ({"day": "9" * 40}, "That number is too large."),
        ({"day": "5", "year": "12345678901"}, "Enter a year such as 2012"),
        ({"day": "29", "month": "2", "year": "2023"}, "February has no day 29 in 2023."),
        ({"day": "1e3"}, "“e”"),
    ],
)
def test_a_number_too_large_is_refused_in_words(world: PortalWorld, wrong: dict[str, str], words: str) -> None:
    browser = signed_in(world)
    answer = browser.post("/profile/occasions/new", data={"label": "Wedding", "month": "5", "year": ""} | wrong)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert changes(world) == []


def test_family_and_days_are_added_changed_and_removed(world: PortalWorld) -> None:
    browser = signed_in(world)
    member = {"first_name": "Vincent", "last_name": "Hopper", "relation": "spouse", "born_on": "1906-02-01"}
    assert browser.post("/profile/family/new", data=member).status_code == 303
    day = {"label": "Wedding anniversary", "day": "15", "month": "6", "year": ""}
    assert browser.post("/profile/occasions/new", data=day).status_code == 303
    profile = world.deps.profiles.get(GRACE.id).profile
    (vincent,), (wedding,) = profile.family, profile.occasions
    assert not wedding.year_known
    browser.post(f"/profile/family/{vincent.id}", data=member | {"first_name": "Vince"})
    browser.post(f"/profile/occasions/{wedding.id}", data=day | {"year": "1930"})
    told = changes(world)[-1]
    assert [one.first_name for one in told.family] == ["Vince"]
    assert [(one.on, one.year_known) for one in told.occasions] == [("1930-06-15", True)]
    browser.post(f"/profile/family/{vincent.id}/remove")
    browser.post(f"/profile/occasions/{wedding.id}/remove")
    assert [set(one.field_changed_at) for one in changes(world)[-2:]] == [
        {f"family:{vincent.id}"},
        {f"occasion:{wedding.id}"},
    ]
    assert world.deps.profiles.get(GRACE.id).profile.family == ()


def test_there_is_no_thirtieth_of_february(world: PortalWorld) -> None:
    browser = signed_in(world)
    day = {"label": "Odd day", "day": "30", "month": "2"}
    assert browser.post("/profile/occasions/new", data=day).status_code == 422
    assert browser.post("/profile/occasions/new", data=day | {"day": "29"}).status_code == 303


def test_another_clients_entries_are_not_found(world: PortalWorld) -> None:
    member = FamilyMember(id="family_" + "a" * 26, first_name="Chris", relation="other")
    browser = signed_in(world)
    tell(world, client_saved(ALAN, ClientProfile(client=ALAN, family=[member])))
    for path in (f"/profile/family/{member.id}", f"/profile/occasions/{member.id}"):
        assert browser.get(path).status_code == 404
        assert browser.post(f"{path}/remove").status_code == 404


def test_strangers_are_sent_to_sign_in(world: PortalWorld) -> None:
    for path in ("/profile", "/profile/edit", "/profile/family/new", "/profile/occasions/new"):
        answer = world.client().get(path)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/sign-in")


def test_an_older_word_that_was_on_its_way_does_not_undo_her_change_but_the_answer_counts(world: PortalWorld) -> None:
    browser = signed_in(world)
    before = world.clock.now()
    world.clock.advance(timedelta(seconds=5))
    browser.post("/profile/edit", data=DETAILS | {"version": version(world)})
    stale = ClientProfile(client=GRACE)
    stale.field_changed_at["phone"].CopyFrom(stamp(before))
    messages: list[Message] = [client_saved(GRACE, stale)]
    tell(world, *messages, *messages)
    assert world.deps.profiles.get(GRACE.id).profile.phone == "+1 212 555 0101"
    answer = ClientProfile(client=GRACE)
    answer.client.phone = "+1 917 555 0188"
    answer.field_changed_at["phone"].CopyFrom(stamp(world.clock.now() + timedelta(seconds=1)))
    tell(world, client_saved(GRACE, answer))
    assert world.deps.profiles.get(GRACE.id).profile.phone == "+1 917 555 0188"


def test_the_kept_profile_is_what_the_merge_says(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, client_saved(ALAN))
    merged = ClientProfile(client=GRACE)
    merged.client.phone = "+1 917 555 0199"
    tell(world, ClientMerged(kept_client_id=GRACE.id, merged_client_id=ALAN.id, profile=merged, agent_id="agt_1"))
    assert "+1 917 555 0199" in browser.get("/profile").get_data(as_text=True)
    tell(world, client_saved(ALAN))
    assert world.deps.profiles.get(GRACE.id).profile.first_name == "Alan"
