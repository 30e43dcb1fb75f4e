"""Companies and households: who belongs where, who sees it, what merges and imports make of it (issue 11)."""

import csv
import io
from dataclasses import replace

import pytest

from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id
from services.crm.core.errors import ChangedMeanwhile
from services.crm.sales.clients.service import ClientData
from services.crm.sales.groups.rules import Group, GroupData, GroupKind
from services.crm.sales.groups.service import GroupFilter
from services.crm.sales.importing.matching import Likeness, Policy
from services.crm.sales.importing.rules import ClientImport
from services.crm.sales.merging.rules import Side
from tests.support.crm_paying import CrmHouse

ACME = GroupData(
    kind=GroupKind.COMPANY,
    name="Acme Shipping",
    phone="+1 305 555 0142",
    website="https://acme.example",
    tax_id="04-5550188",
    billing_name="Priya Raman",
    billing_email="accounts@acme.example",
    city="Naples",
    country="US",
)
HOPPERS = GroupData(kind=GroupKind.HOUSEHOLD, name="Hopper household", city="New York", country="US")


def names(crm: CrmHouse, group: Group) -> list[str]:
    return [client.name for client in crm.deps.sales.groups.members(crm.maya, group.id)]


def test_groups_are_seen_as_clients_are_and_changed_by_their_agent_alone(crm: CrmHouse) -> None:
    groups = crm.deps.sales.groups
    made = groups.add(crm.maya, ACME, first_member=crm.grace_id)
    assert groups.get(crm.maya, made.id).data == ACME
    assert groups.get(crm.ada, made.id).data == ACME
    for act in (
        lambda: groups.change(crm.ada, made.id, HOPPERS, version=1),
        lambda: groups.remove(crm.ada, made.id),
        lambda: groups.join(crm.ada, made.id, crm.alan_id),
        lambda: groups.leave(crm.ada, made.id, crm.grace_id),
    ):
        with pytest.raises(PermissionDenied):
            act()
    stranger = replace(crm.ada, agency_id=new_id("agency"))
    for other in (crm.jonas, stranger):
        with pytest.raises(NotFound):
            groups.get(other, made.id)
        with pytest.raises(NotFound):
            groups.members(other, made.id)
        assert groups.list_page(other, GroupFilter(), 1).total == 0
        assert groups.search(other, "acme", 5) == []
        assert not groups.names(other)
        assert groups.of_client(other, crm.grace_id) == []
    assert names(crm, made) == ["Grace Hopper"]


def test_who_is_no_client_of_its_agent_cannot_belong_to_it(crm: CrmHouse) -> None:
    groups = crm.deps.sales.groups
    made = groups.add(crm.maya, ACME)
    theirs = crm.deps.sales.clients.create(crm.jonas, ClientData(first_name="Ole", last_name="Lund"))
    for client_id in (theirs.id, new_id("client"), ""):
        with pytest.raises(InvalidArgument, match="one of your own clients"):
            groups.join(crm.maya, made.id, client_id)
    with pytest.raises(NotFound):
        groups.add(crm.maya, HOPPERS, first_member=theirs.id)
    assert names(crm, made) == []
    groups.join(crm.maya, made.id, crm.grace_id)
    groups.join(crm.maya, made.id, crm.grace_id)
    assert names(crm, made) == ["Grace Hopper"]
    groups.leave(crm.maya, made.id, crm.grace_id)
    groups.leave(crm.maya, made.id, crm.grace_id)
    assert names(crm, made) == []


def test_one_name_stands_once_of_each_kind_and_an_older_form_overwrites_nothing(crm: CrmHouse) -> None:
    groups = crm.deps.sales.groups
    made = groups.add(crm.maya, ACME)
    with pytest.raises(InvalidArgument, match="of this name already"):
        groups.add(crm.maya, replace(ACME, name=" ACME  shípping"))
    assert groups.add(crm.maya, replace(HOPPERS, name=ACME.name)).kind is GroupKind.HOUSEHOLD
    assert groups.add(crm.jonas, ACME).data == ACME, "another agent has their own"
    changed = groups.change(crm.maya, made.id, replace(ACME, phone=""), version=made.version)
    with pytest.raises(ChangedMeanwhile):
        groups.change(crm.maya, made.id, ACME, version=made.version)
    groups.change(crm.maya, made.id, ACME, version=changed.version)


def test_a_merged_client_belongs_wherever_one_of_the_two_did(crm: CrmHouse) -> None:
    groups, merges = crm.deps.sales.groups, crm.deps.sales.merges
    both = groups.add(crm.maya, ACME, first_member=crm.grace_id)
    groups.join(crm.maya, both.id, crm.alan_id)
    alans = groups.add(crm.maya, HOPPERS, first_member=crm.alan_id)
    shown = merges.preview(crm.maya, crm.grace_id, crm.alan_id)
    assert shown.following["memberships"] == 2
    sides = {choice.field: Side.KEPT for choice in shown.choices}
    versions = (shown.kept.version, shown.other.version)
    merges.merge(crm.maya, crm.grace_id, crm.alan_id, sides, versions=versions)
    assert [group.name for group in groups.of_client(crm.maya, crm.grace_id)] == ["Acme Shipping", "Hopper household"]
    assert (names(crm, both), names(crm, alans)) == (["Grace Hopper"], ["Grace Hopper"])


def test_the_pages_add_find_show_change_and_remove(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    assert "No companies or households yet" in browser.get("/groups").text
    client_page = browser.get(f"/clients/{crm.grace_id}").text
    assert f"/groups/for/{crm.grace_id}" in client_page
    assert "New household" in browser.get(f"/groups/for/{crm.grace_id}").text
    typed = {"name": "Acme", "website": "acme.example/about", "tax_id": "12", "billing_email": "no address"}
    refused = browser.post("/groups/new?kind=company", typed)
    assert refused.status_code == 422
    assert "acme.example/about" in refused.text
    here = browser.post("/groups/new?kind=company", {**typed, "billing_email": "a@acme.example"}).headers["Location"]
    assert "https://acme.example/about" in browser.get(here).text
    assert "Add Grace Hopper" in browser.get(f"{here}?q=hopper").text
    browser.post(f"{here}/members", {"client_id": crm.grace_id})
    page = browser.get(here).text
    assert "Grace Hopper belongs to Acme." in page
    assert "Left to pay" in page, "her trip, with what is left of it"
    assert f"/bookings/new?client={crm.grace_id}" in page
    for question in ("acme", "ACM"):
        assert here in browser.get(f"/find?q={question}").text
    assert "Acme" in browser.get(f"/clients/{crm.grace_id}").text
    assert browser.post(f"{here}/edit", {"name": "Acme Shipping", "version": "1"}).status_code == 303
    assert browser.post(f"{here}/edit", {"name": "Acme", "version": "1"}).status_code == 422
    browser.post(f"{here}/remove")
    assert browser.get(here).status_code == 404
    assert browser.get(f"/clients/{crm.grace_id}").status_code == 200


def test_a_household_begins_with_its_members_name_and_a_booking_with_all_of_it(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    form = browser.get(f"/groups/new?kind=household&client={crm.grace_id}").text
    assert 'value="Hopper household"' in form
    assert "Tax or VAT" not in form
    address = f"/groups/new?kind=household&client={crm.grace_id}"
    here = browser.post(address, {"name": "Hoppers", "tax_id": "12"}).headers["Location"]
    browser.post(f"{here}/members", {"client_id": crm.alan_id})
    assert "New booking for everybody" in browser.get(here).text
    form = browser.get(f"/bookings/new?client={crm.grace_id}&client={crm.alan_id}&client={new_id('client')}").text
    assert form.count('name="passengers"') == 2


def test_lists_are_files_too(crm: CrmHouse) -> None:
    groups, browser = crm.deps.sales.groups, crm.browser(crm.maya)
    made = groups.add(crm.maya, ACME, first_member=crm.grace_id)
    groups.add(crm.maya, HOPPERS, first_member=crm.grace_id)

    def rows(path: str) -> list[list[str]]:
        return list(csv.reader(io.StringIO(browser.get(path).data.decode("utf-8-sig"))))

    assert [row[:3] for row in rows("/groups/companies-and-households.csv?kind=company")] == [
        ["Kind", "Name", "Members"],
        ["Company", "Acme Shipping", "1"],
    ]
    assert rows(f"/groups/{made.id}/members.csv")[1][:2] == ["Grace", "Hopper"]
    grace = next(row for row in rows("/clients/clients.csv") if row[0] == "Grace")
    assert grace[-2:] == ["Acme Shipping", "Hopper household"]


LIST = (
    "First name,Last name,E-mail,Company,Household\n"
    "Grace,Hopper,grace@client.example,acme  SHIPPING,\n"
    "Ida,Rhodes,ida@client.example,Acme Shipping,The Rhodeses\n"
    "Ada,Rhodes,ada@client.example,,The Rhodeses\n"
)


def brought_in(crm: CrmHouse, text: str) -> ClientImport:
    imports = crm.deps.sales.imports
    made = imports.upload(crm.maya, "clients.csv", text.encode())
    found, table = imports.table(crm.maya, made.id)
    imports.check(crm.maya, made.id, found.layout, imports.guess(table, day_first=False))
    while crm.deps.sales.import_runner.work():
        pass
    imports.run(crm.maya, made.id, {Likeness.SURE: Policy.MERGE, Likeness.NAME: Policy.ADD})
    while crm.deps.sales.import_runner.work():
        pass
    return imports.get(crm.maya, made.id)


def undone(crm: CrmHouse, done: ClientImport) -> None:
    crm.deps.sales.imports.undo(crm.maya, done.id)
    while crm.deps.sales.import_runner.work():
        pass


def test_an_import_makes_what_is_new_adds_to_what_is_there_and_its_undo_takes_both_back(crm: CrmHouse) -> None:
    groups = crm.deps.sales.groups
    acme = groups.add(crm.maya, ACME)
    done = brought_in(crm, LIST)
    assert names(crm, acme) == ["Grace Hopper", "Ida Rhodes"]
    household = groups.search(crm.maya, "rhodeses", 5)[0]
    assert household.kind is GroupKind.HOUSEHOLD
    assert names(crm, household) == ["Ada Rhodes", "Ida Rhodes"]
    undone(crm, done)
    assert names(crm, acme) == []
    assert groups.get(crm.maya, acme.id).data == ACME
    assert groups.search(crm.maya, "rhodeses", 5) == []


def test_an_undo_leaves_whom_the_agent_added_elsewhere_and_what_they_changed(crm: CrmHouse) -> None:
    groups = crm.deps.sales.groups
    done = brought_in(crm, LIST)
    household = groups.search(crm.maya, "rhodeses", 5)[0]
    groups.change(crm.maya, household.id, replace(household.data, city="Newport"), version=household.version)
    mine = groups.add(crm.maya, HOPPERS)
    ida = next(one for one in crm.deps.sales.clients.all_own(crm.maya) if one.name == "Ida Rhodes")
    groups.join(crm.maya, mine.id, ida.id)
    undone(crm, done)
    assert names(crm, mine) == ["Ida Rhodes"]
    assert names(crm, household) == ["Ida Rhodes"]
    acme = groups.search(crm.maya, "acme", 5)[0]
    assert names(crm, acme) == ["Ida Rhodes"], "Grace was known and is taken out again"
