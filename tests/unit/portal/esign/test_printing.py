"""Signed documents are printed after the answer: once, the same by whomever, and told with the PDF."""

import threading
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from chassis.bus import Outbox
from chassis.db import open_database
from protos.wayvault.events.v1.events_pb2 import DocumentSigned, PaymentAuthorized
from services.portal.esign import printing
from services.portal.esign.models import PrintJobRow, SignedDocumentRow
from services.portal.esign.pdf import Record, render
from services.portal.esign.printing import Printing, RecordBroken
from services.portal.esign.service import Documents
from services.portal.migrations import MIGRATIONS
from services.portal.models import event_tables
from tests.support.clock import FakeClock
from tests.support.portal import LINK, PortalWorld


def document_id(world: PortalWorld) -> str:
    with world.database.read() as session:
        return session.scalars(select(SignedDocumentRow.document_id)).one()


def waiting(world: PortalWorld) -> int:
    with world.database.read() as session:
        return session.scalars(select(func.count()).select_from(PrintJobRow)).one()


def test_a_submission_makes_no_pdf_and_its_worker_makes_it_and_tells(
    world: PortalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.issue()
    with monkeypatch.context() as nobody_prints:
        nobody_prints.setattr(printing, "render", lambda record: pytest.fail("printed inside the request"))
        world.submitted()
    assert waiting(world) == 1
    authorized, signed = world.published()[-2:]
    assert isinstance(authorized, PaymentAuthorized)
    assert isinstance(signed, DocumentSigned)
    assert signed.document_id == authorized.document_id
    assert signed.pdf_sha256 == sha256(signed.pdf).hexdigest()
    assert waiting(world) == 0
    assert len(world.published()) == 3, "told once"


def test_who_downloads_before_the_worker_came_gets_the_very_file_that_is_told(world: PortalWorld) -> None:
    world.issue()
    browser = world.submitted()
    early = browser.get(f"/pay/{LINK}/authorization.pdf").data
    assert early.startswith(b"%PDF-")
    signed = world.published()[-1]
    assert isinstance(signed, DocumentSigned)
    assert signed.pdf == early == browser.get(f"/pay/{LINK}/authorization.pdf").data


def test_the_same_record_gives_the_same_pdf_whenever_it_is_printed(world: PortalWorld) -> None:
    world.issue()
    world.submitted()
    world.clock.advance(timedelta(days=400))
    with world.database.read() as session:
        row = session.scalars(select(SignedDocumentRow)).one()
        record = Record(text=row.record, drawing=row.signature_image)
        assert record.sha256 == row.record_sha256
    assert world.deps.printing.print_now(document_id(world)) == render(record)


def test_printers_side_by_side_print_the_same_and_tell_once(world: PortalWorld) -> None:
    world.issue()
    world.submitted()
    wanted, made = document_id(world), []
    threads = [threading.Thread(target=lambda: made.append(world.deps.printing.print_now(wanted))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1
    assert world.published_types().count("DocumentSigned") == 1


def test_a_number_asked_for_before_it_is_printed_is_known_with_its_hash(world: PortalWorld) -> None:
    world.issue()
    browser = world.submitted()
    page = browser.post("/verify", data={"reference": document_id(world)}).get_data(as_text=True)
    pdf = browser.get(f"/pay/{LINK}/authorization.pdf").data
    assert sha256(pdf).hexdigest() in page


def test_a_record_that_was_changed_after_signing_is_never_printed_and_holds_nobody_up(world: PortalWorld) -> None:
    world.issue()
    world.submitted()
    changed = document_id(world)
    with world.database.transaction() as session:
        row = SignedDocumentRow
        session.execute(update(row).values(record=func.replace(row.record, "1,240.00", "9,240.00")))
    with pytest.raises(RecordBroken):
        world.deps.printing.print_now(changed)
    assert world.deps.printing.print_due() == 1
    assert world.deps.printing.print_due() == 0, "tried again later only"
    world.clock.advance(timedelta(seconds=3))
    assert world.deps.printing.print_due() == 1
    assert waiting(world) == 1
    assert "DocumentSigned" not in world.published_types()


def test_the_worker_prints_as_soon_as_something_was_signed(world: PortalWorld) -> None:
    stop = threading.Event()
    worker = threading.Thread(target=world.deps.printing.run, args=(stop,))
    worker.start()
    try:
        world.issue()
        world.submitted()
        with world.database.read() as session:
            assert session.scalars(select(SignedDocumentRow.signer_name)).one() == "Grace Hopper"
        printed = threading.Event()
        for _ in range(200):
            if waiting(world) == 0:
                printed.set()
                break
            stop.wait(0.05)
        assert printed.is_set()
    finally:
        stop.set()
        worker.join(10)


def test_what_was_signed_before_records_were_kept_stays_known(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/portal.db"
    MIGRATIONS.upgrade(url, to="0001_initial")
    database = open_database(url, name="portal")
    old = b"%PDF-1.3 made by another program"
    with database.transaction() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO signed_documents VALUES ('doc_old', 'pay_old', NULL, 'cli_1', 'agy_1', 'Harbour', 'Title',"
            " 'T', '1', 'x', 'C', '1', 'Grace', 'g@x', 'typed', '', '', '2026-11-01 00:00:00', '', '', ?, ?)",
            (old, sha256(old).hexdigest()),
        )
    database.dispose()
    MIGRATIONS.upgrade(url)
    MIGRATIONS.check(url)
    clock = FakeClock()
    printer = Printing(database=database, outbox=Outbox(event_tables, producer="portal", clock=clock), clock=clock)
    documents = Documents(database=database, printing=printer, public_url="https://portal.example")
    try:
        known = documents.known_by_hash(sha256(old).hexdigest())
        assert known is not None
        assert known.document_id == "doc_old"
        assert documents.pdf_of_payment("pay_old") == old
        assert printer.print_due() == 0
    finally:
        database.dispose()
