"""Rows that look like somebody are compared side by side, decided one by one or together, carried out and undone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument, NotFound
from services.crm.sales.clients.rules import ClientData, ProfileField, columns_of
from services.crm.sales.importing import comparing, runner
from services.crm.sales.importing.matching import Likeness, Policy
from services.crm.sales.importing.pairs import Decision, differing, row_choices, updated
from services.crm.sales.importing.rules import ClientImport, ImportState
from services.crm.sales.merging.rules import Side
from tests.support.crm_paying import CrmHouse

LIST = (
    "First name,Last name,E-mail,Phone,City\n"
    "Grace,Hopper,grace@client.example,+1 401 555 0100,Arlington\n"
    "Alan,Turing,alan@client.example,+44 20 7946 0018,\n"
    "Ida,Rhodes,ida@client.example,,\n"
    "Ida,Rhodes,ida@client.example,+1 401 555 0199,\n"
)
FILL = {Likeness.SURE: Policy.MERGE, Likeness.NAME: Policy.ADD}
PHONE, CITY = ProfileField.PHONE, ProfileField.ADDRESS
names = st.sampled_from(["", "Ann", "Bo"])
people = st.builds(
    ClientData, first_name=st.just("Ann"), last_name=names, email=names, phone=names, city=names, notes=names
)


@given(people, people, st.dictionaries(st.sampled_from(ProfileField), st.sampled_from(Side)))
def test_an_update_takes_each_field_whole_from_one_side_and_never_empties_one(
    known: ClientData, row: ClientData, sides: dict[ProfileField, Side]
) -> None:
    after = updated(known, row, sides)
    for field in ProfileField:
        values = tuple(tuple(getattr(one, name) for name in columns_of(field)) for one in (known, row, after))
        if field is not ProfileField.NOTES:
            assert values[2] in values[:2]
        if not any(values[1]):
            assert values[2] == values[0], "what the row says nothing of stays"
    assert set(differing(known, row)) <= {choice.field for choice in row_choices(known, row)}
    assert updated(known, known, {}) == known


def checked(crm: CrmHouse, text: str = LIST) -> ClientImport:
    imports = crm.deps.sales.imports
    grace = crm.deps.sales.clients.get(crm.maya, crm.grace_id)
    if not grace.phone:
        data = replace(grace.data, phone="+1 212 555 0111", city="New York")
        crm.deps.sales.clients.change(crm.maya, grace.id, data, version=grace.version)
    made = imports.upload(crm.maya, "clients.csv", text.encode())
    found, table = imports.table(crm.maya, made.id)
    imports.check(crm.maya, made.id, found.layout, imports.guess(table, day_first=False))
    work(crm)
    return imports.get(crm.maya, made.id)


def work(crm: CrmHouse) -> None:
    while crm.deps.sales.import_runner.work():
        pass


def run(crm: CrmHouse, made: ClientImport) -> ClientImport:
    crm.deps.sales.imports.run(crm.maya, made.id, FILL)
    work(crm)
    return crm.deps.sales.imports.get(crm.maya, made.id)


def undone(crm: CrmHouse, made: ClientImport) -> ClientImport:
    crm.deps.sales.imports.undo(crm.maya, made.id)
    work(crm)
    return crm.deps.sales.imports.get(crm.maya, made.id)


def grace_now(crm: CrmHouse) -> ClientData:
    return crm.deps.sales.clients.get(crm.maya, crm.grace_id).data


def people_called(crm: CrmHouse, name: str) -> int:
    return sum(client.name == name for client in crm.deps.sales.clients.all_own(crm.maya))


def test_rows_stand_beside_clients_and_rows_before_them_with_what_differs(crm: CrmHouse) -> None:
    made = checked(crm)
    page = crm.deps.sales.comparisons.page(crm.maya, made.id, 1)
    assert [(pair.number, pair.in_file) for pair in page.items] == [(2, False), (3, False), (5, True)]
    grace = page.items[0]
    assert {choice.field: (choice.kept, choice.other) for choice in grace.choices}[PHONE] == (
        "+1 212 555 0111",
        "+1 401 555 0100",
    )
    assert grace.chosen[PHONE] is Side.KEPT, "the file overwrites nothing unless it is told to"
    assert page.items[1].chosen[PHONE] is Side.OTHER, "what a client lacks is filled in"
    alike = crm.deps.sales.comparisons.alike(crm.maya, made.id)
    assert [(one.words, one.rows) for one in alike] == [
        ("differ only in phone", 2),
        ("differs only in phone and address", 1),
    ]


def test_each_row_is_updated_added_or_left_out_as_was_decided_and_the_report_says_so(crm: CrmHouse) -> None:
    made, comparisons = checked(crm), crm.deps.sales.comparisons
    grace, alan, ida = comparisons.page(crm.maya, made.id, 1).items
    comparisons.decide(
        crm.maya,
        made.id,
        {
            grace.place: (Decision.UPDATE, {PHONE: Side.OTHER, CITY: Side.KEPT}),
            alan.place: (Decision.ADD, {}),
            ida.place: (Decision.LEAVE, {}),
        },
    )
    done = run(crm, made)
    assert (done.counts.created, done.counts.merged, done.counts.skipped) == (2, 1, 1)
    assert (grace_now(crm).phone, grace_now(crm).city) == ("+1 401 555 0100", "New York")
    assert (people_called(crm, "Alan Turing"), people_called(crm, "Ida Rhodes")) == (2, 1)
    outcomes = [pair.outcome for pair in comparisons.page(crm.maya, made.id, 1).items]
    assert outcomes == [Decision.UPDATE, Decision.ADD, Decision.LEAVE]
    with pytest.raises(InvalidArgument, match="gone on meanwhile"):
        comparisons.decide(crm.maya, made.id, {grace.place: (None, {})})


def test_one_decision_for_all_that_differ_in_the_same_fields(crm: CrmHouse) -> None:
    made, comparisons = checked(crm), crm.deps.sales.comparisons
    assert comparisons.decide_all(crm.maya, made.id, "phone", Decision.LEAVE, take_files=False) == 2
    assert [one.decided for one in comparisons.alike(crm.maya, made.id)] == [2, 0]
    assert comparisons.decide_all(crm.maya, made.id, None, Decision.UPDATE, take_files=True) == 3
    run(crm, made)
    assert (grace_now(crm).phone, grace_now(crm).city) == ("+1 401 555 0100", "Arlington")
    ida = next(one for one in crm.deps.sales.clients.all_own(crm.maya) if one.name == "Ida Rhodes")
    assert ida.phone == "+1 401 555 0199", "the second row of the file updated what the first one made"


def test_whoever_was_to_be_updated_and_is_gone_becomes_a_new_client(crm: CrmHouse) -> None:
    made, comparisons = checked(crm), crm.deps.sales.comparisons
    comparisons.decide_all(crm.maya, made.id, None, Decision.UPDATE, take_files=True)
    twin = crm.deps.sales.clients.create(crm.maya, ClientData(first_name="G", last_name="H"))
    shown = crm.deps.sales.merges.preview(crm.maya, twin.id, crm.grace_id)
    sides = {choice.field: Side.KEPT for choice in shown.choices}
    versions = (shown.kept.version, shown.other.version)
    crm.deps.sales.merges.merge(crm.maya, twin.id, crm.grace_id, sides, versions=versions)
    run(crm, made)
    assert people_called(crm, "Grace Hopper") == 1
    assert crm.deps.sales.clients.get(crm.maya, twin.id).phone == ""


def test_an_undo_takes_back_field_by_field_and_names_what_somebody_changed_since(crm: CrmHouse) -> None:
    made, comparisons = checked(crm), crm.deps.sales.comparisons
    before = grace_now(crm)
    comparisons.decide_all(crm.maya, made.id, None, Decision.UPDATE, take_files=True)
    done = run(crm, made)
    grace = crm.deps.sales.clients.get(crm.maya, crm.grace_id)
    theirs = replace(grace.data, phone="+1 646 555 0123", notes="Likes COBOL")
    crm.deps.sales.clients.change(crm.maya, grace.id, theirs, version=grace.version)
    undo = undone(crm, done)
    assert undo.state is ImportState.UNDONE
    assert grace_now(crm) == replace(before, phone="+1 646 555 0123", notes="Likes COBOL")
    assert comparisons.kept_by_undo(crm.maya, made.id) == [(crm.grace_id, "phone")]
    assert undo.counts.kept == 1
    page = crm.browser(crm.maya).get(f"/clients/import/{made.id}").text
    assert "Phone changed since, so left as it is" in page
    assert "Grace Hopper" in page


def test_nobody_else_sees_or_decides_it(crm: CrmHouse) -> None:
    made, comparisons = checked(crm), crm.deps.sales.comparisons
    for other in (crm.jonas, crm.ada):
        with pytest.raises(NotFound):
            comparisons.page(other, made.id, 1)
        with pytest.raises(NotFound):
            comparisons.decide_all(other, made.id, None, Decision.LEAVE, take_files=False)
        with pytest.raises(NotFound):
            comparisons.alike(other, made.id)


def test_the_pages_keep_what_is_chosen_without_scripts(crm: CrmHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "PAIRS_ON_A_PAGE", 2)
    made, browser = checked(crm), crm.browser(crm.maya)
    here = f"/clients/import/{made.id}"
    assert "2 rows that differ only in phone" in browser.get(here).text
    first = browser.get(f"{here}/similar").text
    assert "Row 2: Grace Hopper" in first
    assert "Row 5" not in first
    typed = {"decision-0": "update", "side-0-phone": "other", "side-0-address": "nonsense", "decision-1": "nonsense"}
    answer = browser.post(f"{here}/similar", {**typed, "next": "1"})
    assert answer.headers["Location"].endswith("page=2")
    assert "Row 5: Ida Rhodes" in browser.get(answer.headers["Location"]).text
    kept = browser.get(f"{here}/similar").text
    assert 'name="side-0-phone" value="other" aria-describedby="label-0-phone" checked' in kept
    browser.post(f"{here}/similar/all", {"differs": "phone", "decision": "leave"})
    assert "2 rows decided" in browser.get(here).text
    browser.post(f"{here}/run", {"policy-sure": "merge", "policy-name": "add"})
    work(crm)
    assert "Similar rows" in browser.get(here).text
    report = browser.get(f"{here}/similar").text
    assert "Client updated" in report
    assert "Left out" in report


def test_a_check_that_was_killed_or_is_done_again_keeps_each_row_once(
    crm: CrmHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, imports, comparisons = checked(crm), crm.deps.sales.imports, crm.deps.sales.comparisons
    comparisons.decide_all(crm.maya, made.id, None, Decision.LEAVE, take_files=False)
    assert made.reading is not None
    imports.check(crm.maya, made.id, made.layout, made.reading)
    monkeypatch.setattr(runner, "_CHUNK", 3)
    note, calls = comparing.note_pairs, list[int]()

    def dies(*given: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("killed")
        note(*given)  # type: ignore[arg-type]  # its own arguments

    monkeypatch.setattr(runner, "note_pairs", dies)
    with pytest.raises(RuntimeError):
        crm.deps.sales.import_runner.work()
    crm.clock.advance(timedelta(minutes=3))
    work(crm)
    page = comparisons.page(crm.maya, made.id, 1)
    assert [(pair.number, pair.decision) for pair in page.items] == [(2, None), (3, None), (5, None)]
    assert imports.get(crm.maya, made.id).counts.sure == 3
