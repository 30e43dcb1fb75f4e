"""A list is brought in by the worker, duplicates are filled in or left, and all of it can be undone (C15)."""

import csv
import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select
from werkzeug.test import TestResponse

from chassis.errors import InvalidArgument, NotFound
from protos.wayvault.events.v1.events_pb2 import ClientRemoved, ClientSaved
from services.crm.sales.clients.models import ClientRow, ClientWordRow
from services.crm.sales.clients.service import ClientData, ClientFilter
from services.crm.sales.importing import runner
from services.crm.sales.importing.matching import Likeness, Policy
from services.crm.sales.importing.rules import ClientImport, ImportState, pack_layout, unpack_layout
from services.crm.sales.importing.tables import Layout
from tests.support.cards import PUBLISHED
from tests.support.crm_paying import Browser, CrmHouse

LIST = (
    "First name,Last name,E-mail,Phone\n"
    "Grace,Hopper,grace@client.example,+1 401 555 0100\n"
    "Ida,Rhodes,ida@client.example,\n"
    "Alan,Turing,,\n"
    "Nobody,,not an address,\n"
)
CARD = PUBLISHED[0][0]
MERGE = {Likeness.SURE: Policy.MERGE, Likeness.NAME: Policy.ADD}


def uploaded(crm: CrmHouse, text: str = LIST) -> ClientImport:
    return crm.deps.sales.imports.upload(crm.maya, "clients.csv", text.encode())


def checked(crm: CrmHouse, text: str = LIST) -> ClientImport:
    imports = crm.deps.sales.imports
    made = uploaded(crm, text)
    found, table = imports.table(crm.maya, made.id)
    imports.check(crm.maya, made.id, found.layout, imports.guess(table, day_first=False))
    work(crm)
    return imports.get(crm.maya, made.id)


def work(crm: CrmHouse) -> None:
    while crm.deps.sales.import_runner.work():
        pass


def brought_in(crm: CrmHouse, text: str = LIST, policies: dict[Likeness, Policy] = MERGE) -> ClientImport:
    made = checked(crm, text)
    crm.deps.sales.imports.run(crm.maya, made.id, policies)
    work(crm)
    return crm.deps.sales.imports.get(crm.maya, made.id)


def names(crm: CrmHouse) -> list[str]:
    return [client.name for client in crm.deps.sales.clients.all_own(crm.maya)]


def test_the_dry_run_counts_everything_and_changes_nothing(crm: CrmHouse) -> None:
    before, told = names(crm), len(crm.events(ClientSaved))
    found = checked(crm)
    assert found.state is ImportState.CHECKED
    counts = found.counts
    assert (counts.sure, counts.name_only, counts.refused) == (1, 1, 1)
    assert {one.row for one in found.examples} == {2, 4, 5}
    assert (names(crm), len(crm.events(ClientSaved))) == (before, told)


def test_rows_become_clients_who_are_found_told_and_filled_in(crm: CrmHouse) -> None:
    told = len(crm.events(ClientSaved))
    done = brought_in(crm)
    assert (done.state, done.done) == (ImportState.DONE, 4)
    assert (done.counts.created, done.counts.merged, done.counts.refused) == (2, 1, 1)
    assert names(crm).count("Ida Rhodes") == 1
    assert names(crm).count("Alan Turing") == 2
    assert crm.deps.sales.clients.get(crm.maya, crm.grace_id).data.phone
    found = crm.deps.sales.clients.list_page(crm.maya, ClientFilter(text="ida@client"), 1)
    assert [client.name for client in found.items] == ["Ida Rhodes"]
    assert {event.client.email for event in crm.events(ClientSaved)[told:]} >= {"ida@client.example"}


def test_known_clients_are_left_when_that_was_chosen(crm: CrmHouse) -> None:
    before = crm.deps.sales.clients.get(crm.maya, crm.grace_id)
    skip = {Likeness.SURE: Policy.SKIP, Likeness.NAME: Policy.SKIP}
    done = brought_in(crm, policies=skip)
    assert (done.counts.created, done.counts.skipped) == (1, 2)
    assert crm.deps.sales.clients.get(crm.maya, crm.grace_id) == before


def test_an_undo_removes_what_came_and_restores_what_was_but_not_what_was_changed_since(crm: CrmHouse) -> None:
    before = crm.deps.sales.clients.get(crm.maya, crm.grace_id).data
    done = brought_in(crm, f"{LIST}Mary,Somerville,mary@client.example,\n")
    mary = next(one for one in crm.deps.sales.clients.all_own(crm.maya) if one.name == "Mary Somerville")
    changed = ClientData(first_name="Mary", last_name="Somerville", city="Naples")
    crm.deps.sales.clients.change(crm.maya, mary.id, changed, version=mary.version)
    crm.deps.sales.imports.undo(crm.maya, done.id)
    work(crm)
    undone = crm.deps.sales.imports.get(crm.maya, done.id)
    assert undone.state is ImportState.UNDONE
    assert (undone.counts.removed, undone.counts.restored, undone.counts.kept) == (2, 1, 1)
    assert "Ida Rhodes" not in names(crm)
    assert "Mary Somerville" in names(crm)
    assert crm.deps.sales.clients.get(crm.maya, crm.grace_id).data == before
    assert len(crm.events(ClientRemoved)) == 2


def test_who_has_a_booking_by_now_stays(crm: CrmHouse) -> None:
    done = brought_in(crm)
    ida = next(one for one in crm.deps.sales.clients.all_own(crm.maya) if one.name == "Ida Rhodes")
    crm.deps.sales.tasks.add(crm.maya, ida.id, "Call her", None)
    crm.deps.sales.imports.undo(crm.maya, done.id)
    work(crm)
    assert "Ida Rhodes" in names(crm)
    assert crm.deps.sales.imports.get(crm.maya, done.id).counts.kept == 1


def test_it_can_be_undone_for_a_day_and_its_file_is_gone_after_it(crm: CrmHouse) -> None:
    done = brought_in(crm)
    assert crm.deps.sales.imports.forget_files() == 0
    crm.clock.advance(timedelta(days=1, minutes=1))
    with pytest.raises(InvalidArgument, match="That day is over"):
        crm.deps.sales.imports.undo(crm.maya, done.id)
    assert crm.deps.sales.imports.forget_files() == 1
    with pytest.raises(NotFound, match="deleted"):
        crm.deps.sales.imports.table(crm.maya, done.id)


def test_a_card_number_stops_the_whole_file_and_nothing_of_it_is_kept(crm: CrmHouse) -> None:
    with pytest.raises(InvalidArgument, match="Row 3, column “Notes”") as refused:
        uploaded(crm, f"Name,Notes\nA B,fine\nC D,{CARD}\n")
    assert CARD not in refused.value.message
    assert crm.deps.sales.imports.list_own(crm.maya) == []


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"a,b,c,d\n4111,1111,1111,1111\n", "Row 2"),
        (b"a,b,c\nAnn,Lee,x\n4111,1111,1111 1111\n", "Row 3"),
        (b"a;4111 1111 1111 1111 (old)\nAnn;x\n", "4111"),
        (b"BEGIN:VCARD\nN:Lee;Ann\nX-CARD:4111 1111\n  1111 1111\nEND:VCARD\n", "This file"),
    ],
    ids=["over cells", "over three cells", "name of a column", "what is not understood of a contact"],
)
def test_a_card_number_is_found_wherever_it_stands_in_a_list(crm: CrmHouse, content: bytes, where: str) -> None:
    with pytest.raises(InvalidArgument, match="what looks like a card number") as refused:
        crm.deps.sales.imports.upload(crm.maya, "list.csv", content)
    assert refused.value.message.startswith(where) or where == "4111"


def test_a_phone_beside_a_zip_code_is_no_card(crm: CrmHouse) -> None:
    content = b"Name,Phone,Zip,Year\nAnn Lee,3475550123,11200,2027\n"
    assert crm.deps.sales.imports.upload(crm.maya, "a\0\u202evsc.csv", content).file_name == "avsc.csv"


def test_another_agent_knows_nothing_of_it(crm: CrmHouse) -> None:
    made = uploaded(crm)
    for other in (crm.jonas, crm.ada):
        with pytest.raises(NotFound):
            crm.deps.sales.imports.get(other, made.id)
        assert crm.deps.sales.imports.list_own(other) == []


def test_a_killed_worker_is_followed_by_one_that_goes_on(crm: CrmHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_CHUNK", 2)
    text = "Name,Email\n" + "".join(f"Person{n} X{n},p{n}@mail.example\n" for n in range(7))
    made = checked(crm, text)
    crm.deps.sales.imports.run(crm.maya, made.id, MERGE)
    write = runner.ImportRunner._write
    calls: list[int] = []

    def dies(*given: object) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("killed")
        write(*given)  # type: ignore[arg-type]  # its own arguments

    monkeypatch.setattr(runner.ImportRunner, "_write", dies)
    with pytest.raises(RuntimeError):
        crm.deps.sales.import_runner.work()
    assert crm.deps.sales.imports.get(crm.maya, made.id).done == 4
    assert crm.deps.sales.import_runner.work() == 0, "the dead worker's lease still runs"
    crm.clock.advance(timedelta(minutes=3))
    work(crm)
    done = crm.deps.sales.imports.get(crm.maya, made.id)
    assert (done.state, done.counts.created) == (ImportState.DONE, 7)
    assert sum(name.startswith("Person") for name in names(crm)) == 7


def sent(browser: Browser, content: bytes, name: str = "list.csv") -> TestResponse:
    browser.get("/clients/import")
    return browser.post("/clients/import", data={"file": (io.BytesIO(content), name)})


def test_the_pages_lead_from_the_file_to_the_clients_and_back(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    here = sent(browser, LIST.encode()).headers["Location"]
    page = browser.get(here, follow_redirects=True).text
    assert "Match the columns" in page
    assert 'aria-label="What E-mail becomes"' in page
    targets = {"target-0": "first_name", "target-1": "last_name", "target-2": "email", "target-3": "phone"}
    form = {**targets, "encoding": "utf-8", "separator": ",", "header": "1", "days": "month"}
    assert (
        "Say which column"
        in browser.post(f"{here}/columns", data={**form, "target-0": "", "target-1": "", "check": "1"}).text
    )
    assert browser.post(f"{here}/columns", data={**form, "check": "1"}).status_code == 303
    assert "0 of 4" in browser.get(here).text
    work(crm)
    assert "What would happen" in browser.get(here).text
    browser.post(f"{here}/run", data={"policy-sure": "merge", "policy-name": "skip"})
    work(crm)
    assert "Undo this import" in browser.get(here).text
    rows = list(csv.reader(io.StringIO(browser.get(f"{here}/refused.csv").data.decode("utf-8-sig"))))
    assert rows[1][0] == "5"
    assert "no e-mail address" in rows[1][1]
    browser.post(f"{here}/undo")
    work(crm)
    assert "Clients removed" in browser.get(here).text
    assert "list.csv" in browser.get("/clients/import").text


def test_a_list_called_like_a_card_is_asked_for_again_by_its_field(crm: CrmHouse) -> None:
    page = sent(crm.browser(crm.maya), LIST.encode(), name="4111-1111-1111-1111.csv")
    assert page.status_code == 422
    assert "looks like a card number" in page.text.partition('id="file-error"')[2].partition("</p>")[0]
    assert "Earlier imports" not in page.text


def test_the_row_that_names_the_columns_is_said_and_can_be_chosen(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    content = "Spring list\n\nFirst name,Last name,Email\nAnn,Lee,ann@mail.example\nBo,Roe,bo@mail.example\n"
    here = sent(browser, content.encode()).headers["Location"]
    page = browser.get(f"{here}/columns").text
    assert '<option value="3" selected>Row 3: First name · Last name · Email</option>' in page
    assert "What stands above it is left out: 1 row." in page
    assert "Check all 2 rows" in page
    again = {"encoding": "utf-8", "separator": ",", "days": "month", "again": "1"}
    page = browser.post(f"{here}/columns", data={**again, "header": "0"}).text
    assert "Check all 4 rows" in page
    page = browser.post(f"{here}/columns", data={**again, "header": "1"}).text
    assert '<option value="1" selected>Row 1: Spring list</option>' in page
    assert "Check all 3 rows" in page
    for nonsense in ("", "x", "-1", "\u0663", "9" * 30):
        assert 'value="3" selected' in browser.post(f"{here}/columns", data={**again, "header": nonsense}).text
    targets = {"target-0": "first_name", "target-1": "last_name", "target-2": "email"}
    browser.post(f"{here}/columns", data={**again, **targets, "header": "3", "check": "1"})
    work(crm)
    browser.post(f"{here}/run", data={"policy-sure": "merge", "policy-name": "skip"})
    work(crm)
    assert {"Ann Lee", "Bo Roe"} <= set(names(crm))
    assert not any("Spring" in name for name in names(crm))


def test_a_layout_that_was_kept_before_has_its_names_in_the_first_row() -> None:
    kept = {"encoding": "utf-8", "separator": ",", "has_header": True}
    assert unpack_layout(kept).header == 1
    assert unpack_layout({**kept, "has_header": False}).header == 0
    made = Layout(encoding="utf-8", separator=",", header=3)
    assert unpack_layout(pack_layout(made)) == made
    assert pack_layout(made)["has_header"] is True, "an older process reads the first row"


def test_another_encoding_and_separator_are_tried_on_the_page(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    here = sent(browser, "Vorname;Nachname\nJörg;Müller\n".encode("mac_roman")).headers["Location"]
    assert "Müller" not in browser.get(f"{here}/columns").text
    again = {"encoding": "mac_roman", "separator": ";", "header": "1", "again": "1"}
    page = browser.post(f"{here}/columns", data=again).text
    assert re.search(r"Jörg.*Müller", page, re.DOTALL)


@pytest.mark.parametrize("content", [b"", b"\x00\x00"])
def test_what_is_no_list_is_said_beside_the_field(crm: CrmHouse, content: bytes) -> None:
    answer = sent(crm.browser(crm.maya), content)
    assert answer.status_code == 422
    assert "Choose a .csv or .vcf file." in answer.text


def test_a_row_takes_two_statements_however_many_there_are(crm: CrmHouse) -> None:
    """How long that is: `python -m tests.bench.imports`."""
    rows = 2_000
    text = "Name,Email,Phone,City\n" + "".join(
        f"First{n} Last{n},p{n}@mail.example,+1 401 {200 + n % 700} {n % 10_000:04d},Newport\n" for n in range(rows)
    )
    made = checked(crm, text)
    crm.deps.sales.imports.run(crm.maya, made.id, MERGE)
    asked: list[object] = []
    event.listen(crm.deps.core.database.engine, "before_cursor_execute", lambda *_: asked.append(_))
    work(crm)
    # The news of each client (outbox and its sequence); everything else is written by the chunk.
    assert len(asked) < rows * 2.1
    with crm.deps.core.database.read() as session:
        made_now = session.scalar(select(func.count()).where(ClientRow.first_name.startswith("First")))
        words = session.scalar(select(func.count()).where(ClientWordRow.word.startswith("first1")))
    assert made_now == rows
    assert words
