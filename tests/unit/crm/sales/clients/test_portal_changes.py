"""What a client changes in the portal: field by field the newer change wins, whichever arrives first (P6)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import (
    Client,
    ClientProfile,
    ClientProfileChanged,
    ClientSaved,
)
from protos.wayvault.events.v1.events_pb2 import FamilyMember as WireMember
from protos.wayvault.events.v1.events_pb2 import Occasion as WireOccasion
from services.crm.sales.clients.portal_changes import UnknownClient
from services.crm.sales.clients.rules import FamilyMember, Occasion, OccasionKind, ProfileField, Relation
from services.crm.sales.clients.service import ClientData
from tests.support.crm_paying import CrmHouse


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[CrmHouse]:
    house = CrmHouse(tmp_path)
    yield house
    house.deps.core.database.dispose()


def in_portal(crm: CrmHouse) -> ClientProfile:
    """The profile as the portal has it: what the CRM told last."""
    profile = ClientProfile()
    profile.CopyFrom([event for event in crm.events(ClientSaved) if event.client.id == crm.grace_id][-1].profile)
    profile.field_changed_at.clear()
    return profile


def change(profile: ClientProfile, at: datetime, *fields: str) -> ClientProfileChanged:
    profile.changed_at.CopyFrom(stamp(at))
    for field in fields:
        profile.field_changed_at[field].CopyFrom(stamp(at))
    return ClientProfileChanged(profile=profile)


def data(crm: CrmHouse) -> ClientData:
    return crm.deps.sales.clients.get(crm.maya, crm.grace_id).data


def agent_changes(crm: CrmHouse, **values: Any) -> None:
    client = crm.deps.sales.clients.get(crm.maya, crm.grace_id)
    base: dict[str, Any] = {
        "first_name": "Grace",
        "last_name": "Hopper",
        "email": client.email,
        "phone": client.phone,
    }
    crm.deps.sales.clients.change(crm.maya, client.id, ClientData(**(base | values)), version=client.version)


def test_what_the_client_changed_is_taken_over_and_marked(crm: CrmHouse) -> None:
    profile = in_portal(crm)
    profile.client.email = "grace@new.example"
    profile.address.line1, profile.address.line2, profile.address.country = "1 Harbour Street", "Flat 2", "us"
    crm.hear(change(profile, crm.clock.now(), "email", "address"))
    assert (data(crm).email, data(crm).street, data(crm).country) == (
        "grace@new.example",
        "1 Harbour Street, Flat 2",
        "US",
    )
    changes = {each.field: each.was for each in crm.deps.sales.profiles.changes(crm.maya, crm.grace_id)}
    assert changes == {ProfileField.EMAIL: "grace@client.example", ProfileField.ADDRESS: ""}
    browser = crm.browser(crm.maya)
    page = browser.get(f"/clients/{crm.grace_id}").text
    assert "changed this in the portal" in page
    assert "before: grace@client.example" in page
    browser.post(f"/clients/{crm.grace_id}/changes/seen")
    assert "changed this in the portal" not in browser.get(f"/clients/{crm.grace_id}").text


def test_a_field_the_client_left_alone_does_not_overwrite_her_agents_newer_entry(crm: CrmHouse) -> None:
    profile = in_portal(crm)
    agent_changes(crm, phone="+1 401 555 0199")
    crm.clock.advance(timedelta(minutes=1))
    profile.client.email = "grace@new.example"
    crm.hear(change(profile, crm.clock.now(), "email"))
    assert (data(crm).email, data(crm).phone) == ("grace@new.example", "+1 401 555 0199")


def test_of_two_changes_of_one_field_the_newer_wins_in_either_order_of_arrival(crm: CrmHouse) -> None:
    profile = in_portal(crm)
    earlier = crm.clock.now()
    crm.clock.advance(timedelta(minutes=1))
    agent_changes(crm, phone="+1 401 555 0199")
    profile.client.phone = "+1 401 555 0111"
    crm.hear(change(profile, earlier, "phone"))
    assert data(crm).phone == "+1 401 555 0199"
    assert crm.events(ClientSaved)[-1].profile.client.phone == "+1 401 555 0199"
    crm.hear(change(profile, crm.clock.now() + timedelta(seconds=5), "phone"))
    assert data(crm).phone == "+1 401 555 0111"


def test_changes_heard_in_any_order_and_twice_end_the_same(crm: CrmHouse) -> None:
    start = crm.clock.now()
    ends = set()
    for order in permutations(range(3)):
        for number in (*order, *order):
            profile = in_portal(crm)
            profile.client.phone = f"+1 401 555 010{number}"
            crm.hear(change(profile, start + timedelta(seconds=number + 1), "phone"))
        ends.add(data(crm).phone)
    assert ends == {"+1 401 555 0102"}


def test_family_and_occasions_come_change_and_go_by_their_own_moments(crm: CrmHouse) -> None:
    profiles = crm.deps.sales.profiles
    ann = profiles.save_member(crm.maya, crm.grace_id, FamilyMember(first_name="Ann", relation=Relation.CHILD))
    bob = profiles.save_member(crm.maya, crm.grace_id, FamilyMember(first_name="Bob", relation=Relation.CHILD))
    profile = in_portal(crm)
    crm.clock.advance(timedelta(minutes=1))
    del profile.family[:]
    profile.family.add(id=ann.id, first_name="Anna", relation="child")
    profile.family.append(WireMember(id="family_" + "a" * 26, first_name="Cy", relation="grandchild"))
    profile.occasions.append(
        WireOccasion(id="occasion_" + "a" * 26, label="Wedding day", on="2016-02-29", year_known=True)
    )
    profile.occasions.append(WireOccasion(id="birthday", label="Birthday", on="1906-12-09", year_known=True))
    agent_added = profiles.save_member(crm.maya, crm.grace_id, FamilyMember(first_name="Dee", relation=Relation.OTHER))
    moment = crm.clock.now() - timedelta(seconds=1)
    rows = [f"family:{ann.id}", f"family:{bob.id}", "family:family_" + "a" * 26, "occasion:occasion_" + "a" * 26]
    event = change(profile, moment, *rows, "birthday")
    crm.hear(event)
    household = profiles.household(crm.maya, crm.grace_id)
    assert {member.first_name for member in household.family} == {"Anna", "Cy", "Dee"}
    assert bob.id not in [member.id for member in household.family]
    assert agent_added.id in [member.id for member in household.family]
    assert [(each.label, each.kind) for each in household.occasions] == [("Wedding day", OccasionKind.ANNIVERSARY)]
    assert data(crm).birthday == date(1906, 12, 9)
    profiles.remove_member(crm.maya, crm.grace_id, ann.id)
    crm.hear(event)
    assert {member.first_name for member in profiles.household(crm.maya, crm.grace_id).family} == {"Cy", "Dee"}


def test_what_both_sides_typed_into_the_lists_meanwhile_is_all_there(crm: CrmHouse) -> None:
    profiles = crm.deps.sales.profiles
    ann = profiles.save_member(crm.maya, crm.grace_id, FamilyMember(first_name="Ann", relation=Relation.CHILD))
    profile = in_portal(crm)
    # The portal has not heard of these two when the client adds theirs, later.
    profiles.save_member(crm.maya, crm.grace_id, FamilyMember(first_name="Dee", relation=Relation.OTHER))
    wedding = Occasion(kind=OccasionKind.ANNIVERSARY, label="Wedding", first_on=date(1930, 6, 15))
    profiles.save_occasion(crm.maya, crm.grace_id, wedding)
    crm.clock.advance(timedelta(minutes=1))
    profile.family.add(id="family_" + "b" * 26, first_name="Cy", relation="child")
    profile.occasions.add(id="occasion_" + "b" * 26, label="First cruise", on="2016-02-29", year_known=True)
    added = ["family:family_" + "b" * 26, "occasion:occasion_" + "b" * 26]
    crm.hear(change(profile, crm.clock.now(), *added))
    household = profiles.household(crm.maya, crm.grace_id)
    assert {member.first_name for member in household.family} == {"Ann", "Cy", "Dee"}
    assert {occasion.label for occasion in household.occasions} == {"Wedding", "First cruise"}
    # The answer names each row with its moment, so that the portal knows what became of the client's words.
    told = crm.events(ClientSaved)[-1].profile
    assert {*added, f"family:{ann.id}"} <= set(told.field_changed_at)
    assert len(told.family) == 3


def test_a_row_that_one_side_changed_and_the_other_took_away_ends_as_the_later_of_the_two_wanted(crm: CrmHouse) -> None:
    profiles = crm.deps.sales.profiles
    ann = profiles.save_member(crm.maya, crm.grace_id, FamilyMember(first_name="Ann", relation=Relation.CHILD))
    profile = in_portal(crm)
    del profile.family[:]
    earlier = crm.clock.now() + timedelta(seconds=1)
    crm.clock.advance(timedelta(minutes=1))
    profiles.save_member(crm.maya, crm.grace_id, replace(ann, first_name="Anna"))
    crm.hear(change(profile, earlier, f"family:{ann.id}"))
    assert [member.first_name for member in profiles.household(crm.maya, crm.grace_id).family] == ["Anna"]
    crm.hear(change(profile, crm.clock.now() + timedelta(seconds=1), f"family:{ann.id}"))
    assert profiles.household(crm.maya, crm.grace_id).family == ()


def test_a_change_under_a_merged_id_reaches_the_kept_profile(crm: CrmHouse) -> None:
    profile = in_portal(crm)
    crm.deps.sales.merges.merge(crm.maya, crm.alan_id, crm.grace_id, {}, versions=(1, 1))
    profile.client.phone = "+1 401 555 0111"
    crm.hear(change(profile, crm.clock.now() + timedelta(seconds=1), "phone"))
    assert crm.deps.sales.clients.get(crm.maya, crm.alan_id).phone == "+1 401 555 0111"


@pytest.mark.parametrize(
    "odd",
    [
        ClientProfile(client=Client(first_name="", last_name="")),
        ClientProfile(client=Client(first_name="G" * 500, last_name="\r\nBcc: x", email="e" * 999)),
        ClientProfile(occasions=[WireOccasion(id="x", label="Bad", on="2026-13-45"), WireOccasion(on="2026-01-01")]),
        ClientProfile(family=[WireMember(id="'; --", first_name="\u202e", born_on="yesterday")]),
    ],
)
def test_odd_profiles_are_cut_to_fit_and_break_nothing(crm: CrmHouse, odd: ClientProfile) -> None:
    odd.client.id = crm.grace_id
    crm.hear(ClientProfileChanged(profile=odd))
    found = data(crm)
    assert found.first_name
    assert found.last_name
    assert "\n" not in found.last_name
    assert len(found.first_name) <= 80


def test_a_client_that_never_was_goes_to_the_dead_letters(crm: CrmHouse) -> None:
    with pytest.raises(UnknownClient):
        crm.hear(ClientProfileChanged(profile=ClientProfile(client=Client(id="client_" + "a" * 26))))
