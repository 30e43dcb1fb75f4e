"""Prints what was signed, after the signer has had their answer; then tells the others, with the PDF.

At the moment of signing a document is kept as its record, whose fingerprint is fixed then. The worker prints it soon
after; who wants the PDF earlier has it printed then and there. It is the same whenever and by whomever it is printed.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from hashlib import sha256
from typing import cast

import structlog
from google.protobuf.message import Message
from sqlalchemy import Table, bindparam, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chassis.backoff import grown
from chassis.bus import CATALOGUE, Outbox, event_type_of, wake_at_commit, waker_for
from chassis.clock import Clock
from chassis.db import Database
from services.portal.esign.models import PrintJobRow, SignedDocumentRow
from services.portal.esign.pdf import Record, render

_BATCH = 16
_NICE = 10
_IDLE_SECONDS = 0.25
_OUTAGE_SECONDS = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=10)
log = structlog.get_logger(__name__)

# What is said for every document, written and compiled once.
_DOCUMENTS, _JOBS = (cast("Table", row.__table__) for row in (SignedDocumentRow, PrintJobRow))
_DUE = select(_JOBS.c.document_id).where(_JOBS.c.due_at <= bindparam("now")).order_by(_JOBS.c.due_at).limit(_BATCH)
_RECORD = select(_DOCUMENTS.c.pdf, _DOCUMENTS.c.record, _DOCUMENTS.c.record_sha256, _DOCUMENTS.c.signature_image).where(
    _DOCUMENTS.c.document_id == bindparam("document")
)
_TAKE_JOB = (
    delete(_JOBS)
    .where(_JOBS.c.document_id == bindparam("document"))
    .returning(_JOBS.c.event_type, _JOBS.c.event, _JOBS.c.aggregate_id, _JOBS.c.agency_id)
)
_KEEP_PDF = (
    update(_DOCUMENTS)
    .where(_DOCUMENTS.c.document_id == bindparam("document"))
    .values(pdf=bindparam("made"), pdf_sha256=bindparam("digest"))
)


class RecordBroken(Exception):
    """A record does not have the fingerprint that was fixed when it was signed: it must not become a PDF."""


class Printing:
    """The printer of signed documents. `announce` is a part of a caller's transaction."""

    def __init__(self, *, database: Database, outbox: Outbox, clock: Clock) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock

    def announce(
        self, session: Session, document_id: str, event: Message, *, aggregate_id: str, agency_id: str
    ) -> None:
        """Has the document printed, and `event` told with the PDF in its fields `pdf` and `pdf_sha256`."""
        # The job's row refers to the document's.
        session.flush()
        session.add(
            PrintJobRow(
                document_id=document_id,
                event_type=event_type_of(event).type,
                event=event.SerializeToString(),
                aggregate_id=aggregate_id,
                agency_id=agency_id,
                due_at=self._clock.now(),
            )
        )
        wake_at_commit(session)

    def run(self, stop: threading.Event) -> None:
        """Prints until told to stop; an outage of the database is waited out. Setting the sheets yields to whatever
        else the machine has to do: clients wait for answers, nobody for paper."""
        waker = waker_for(self._database)
        with ThreadPoolExecutor(1, "typesetter", initializer=_yield_to_others) as typesetter:
            try:
                while not stop.is_set():
                    try:
                        if not self.print_due(lambda record: typesetter.submit(render, record).result()):
                            waker.wait(_IDLE_SECONDS)
                    except SQLAlchemyError as error:
                        log.warning("printing.waiting", cause=type(error).__name__)
                        stop.wait(_OUTAGE_SECONDS)
            finally:
                waker.close()

    def print_due(self, typeset: Callable[[Record], bytes] = render) -> int:
        """Prints some of what waits; how many were tried. What can't be printed is tried again later, ever rarer."""
        with self._database.read() as session:
            waiting = session.connection().execute(_DUE, {"now": self._clock.now()}).scalars().all()
        printed: dict[str, bytes] = {}
        for document_id in waiting:
            with self._put_off_if_it_fails(document_id):
                printed[document_id] = self._printed(document_id, typeset)[0]
        self._keep_all(printed)
        return len(waiting)

    def _keep_all(self, printed: Mapping[str, bytes]) -> None:
        """Keeps all in one transaction; if one of them can't be kept, each in its own."""
        try:
            with self._database.transaction() as session:
                for document_id, pdf in printed.items():
                    self._keep(session, document_id, pdf)
        except SQLAlchemyError:
            raise
        except Exception:
            for document_id, pdf in printed.items():
                with self._put_off_if_it_fails(document_id), self._database.transaction() as session:
                    self._keep(session, document_id, pdf)

    @contextmanager
    def _put_off_if_it_fails(self, document_id: str) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError:
            raise
        except Exception:
            log.exception("printing.failed", document_id=document_id)
            self._put_off(document_id)

    def print_now(self, document_id: str) -> bytes:
        """The document's PDF, printed if it was not yet; empty when there is no such document. Raises RecordBroken."""
        pdf, is_new = self._printed(document_id, render)
        if is_new:
            with self._database.transaction() as session:
                self._keep(session, document_id, pdf)
        return pdf

    def _printed(self, document_id: str, typeset: Callable[[Record], bytes]) -> tuple[bytes, bool]:
        """The PDF as it is kept, or made now (True); empty when there is no such document. Raises RecordBroken."""
        with self._database.read() as session:
            row = session.connection().execute(_RECORD, {"document": document_id}).first()
            if row is None or row.pdf:
                return b"" if row is None else row.pdf, False
            record, fixed = Record(text=row.record, drawing=row.signature_image), row.record_sha256
        if record.sha256 != fixed:
            raise RecordBroken(document_id)
        return typeset(record), True

    def _keep(self, session: Session, document_id: str, pdf: bytes) -> None:
        """Keeps and tells, unless another has done it meanwhile: the job is there for one, who takes it away."""
        job = session.connection().execute(_TAKE_JOB, {"document": document_id}).first()
        if job is None:
            return
        digest = sha256(pdf).hexdigest()
        session.connection().execute(_KEEP_PDF, {"document": document_id, "made": pdf, "digest": digest})
        event = CATALOGUE[job.event_type].message_class.FromString(job.event)
        event.pdf, event.pdf_sha256 = pdf, digest  # type: ignore[attr-defined]  # every event that is announced has them
        self._outbox.add(session, event, aggregate_id=job.aggregate_id, agency_id=job.agency_id)

    def _put_off(self, document_id: str) -> None:
        with self._database.transaction() as session:
            job = session.get(PrintJobRow, document_id, with_for_update=True)
            if job is not None:
                job.failures += 1
                job.due_at = self._clock.now() + grown(_FIRST_PAUSE, job.failures, _LONGEST_PAUSE)


def _yield_to_others() -> None:
    """Lowers the calling thread's priority, and that of the threads which typst starts from it (Linux: each thread has
    its own)."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
