"""A service's database: one engine, and the two kinds of session that use it."""

import os
import threading
import time
import weakref
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DisconnectionError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

_BEGIN = "wayvault_begin"
# How long a transaction waits for a lock that somebody else holds, unless its database was opened with less patience.
_PATIENCE_SECONDS = 10.0
# The same where a person waits for the page: two such waits still end within ten seconds.
DATABASE_PATIENCE = 4.0
_WAIT_MS = "wayvault_wait_ms"
_SYNC = "wayvault_sync"
_REMEMBERED = "wayvault_remembered"
T = TypeVar("T")
# secure_delete: what is deleted is overwritten. synchronous=FULL: what was acknowledged survives a power cut.
# temp_store: no temporary files outside the database's own folder.
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=16777216",
)
_TRUSTED_SECONDS = 1.0
_LEAST_WAIT_SECONDS = 0.05
_POSTGRES_OPTIONS = "-c timezone=UTC -c statement_timeout=30000 -c idle_in_transaction_session_timeout=120000"


_SETTLE = text("SELECT pg_logical_emit_message(true, 'wayvault.settle', '')")

# Lost connections, lock and statement timeouts, an exhausted pool: nothing happened, and one may try again.
DATABASE_AWAY = (OperationalError, InterfaceError, DisconnectionError, PoolTimeout)


_shared: "ContextVar[dict[Database, Session] | None]" = ContextVar("shared_reads", default=None)


class DatabaseUrlError(ValueError):
    """A database URL that can't be used; the message names no password."""


class ReadOnlyError(RuntimeError):
    """Something tried to write through `Database.read()`."""


class _Turns:
    """SQLite has one writer, and whoever finds it busy sleeps up to 100 ms before looking again, with no order among
    those who sleep. Threads of one process can do better: each goes as soon as the one before has committed."""

    def __init__(self, needed: bool) -> None:
        self._needed = needed
        self._lock = threading.RLock()

    @contextmanager
    def turn(self, patience: float) -> Iterator[float]:
        """This thread's turn to write; yields what is left of `patience` (seconds), so that whoever waited here does
        not wait as long again for SQLite. Raises sqlalchemy.exc.TimeoutError when the turn does not come in time."""
        if not self._needed:
            yield patience
            return
        began = time.monotonic()
        if not self._lock.acquire(timeout=patience):
            raise PoolTimeout("another thread of this process has been writing for too long")
        try:
            yield max(_LEAST_WAIT_SECONDS, patience - (time.monotonic() - began))
        finally:
            self._lock.release()

    def forget(self) -> None:
        """After a fork: whoever held it is not in this process."""
        self._lock = threading.RLock()


class _ReadSession(Session):
    """A session whose flush refuses, so that a forgotten `transaction()` shows at once and on both engines."""

    def flush(self, objects: Any = None) -> None:  # Any: as in SQLAlchemy's signature
        if self.new or self.deleted or any(self.is_modified(row) for row in self.dirty):
            raise ReadOnlyError("this session only reads; use Database.transaction() to write")
        super().flush(objects)


def remembered(session: Session, key: Hashable, find: Callable[[], T]) -> T:
    """What `find` gives, asked for once for each key as long as `session` reads from one snapshot. Where the session
    may write, it is asked for each time. The caller must not change the result."""
    if not isinstance(session, _ReadSession):
        return find()
    known: dict[Hashable, T] = session.info.setdefault(_REMEMBERED, {})
    if key not in known:
        known[key] = find()
    return known[key]


@contextmanager
def sharing_reads() -> Iterator[None]:
    """Within the block, on its thread, all that is read of a database is read in one session, until something is
    written: one connection, one snapshot, and no row is fetched twice. For the length of one web request."""
    sessions: dict[Database, Session] = {}
    token = _shared.set(sessions)
    try:
        yield
    finally:
        _shared.reset(token)
        for session in sessions.values():
            session.close()


class Database:
    """An engine and its sessions. Safe to share between threads, and usable after a fork."""

    def __init__(self, engine: Engine, *, name: str, patience: float = _PATIENCE_SECONDS) -> None:
        self.engine = engine
        self.name = name
        self._patience = patience
        self._writers = _Turns(self.dialect == "sqlite")
        reading: dict[str, Any] = {_BEGIN: "DEFERRED"}
        if self.dialect == "postgresql":
            reading = {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
        self._reader = engine.execution_options(**reading)
        _forget_connections_after_fork(self)

    @property
    def dialect(self) -> str:
        """ "sqlite" or "postgresql"."""
        return self.engine.dialect.name

    @property
    def url(self) -> URL:
        return self.engine.url

    @contextmanager
    def transaction(self, *, patience: float | None = None, durable: bool = True) -> Iterator[Session]:
        """A session that commits at the end of the block and rolls back when the block raises.

        On SQLite its first statement takes the write lock (BEGIN IMMEDIATE), so that what it reads stays true until
        it commits; keep network calls out of it. Rows stay readable after the commit.
        `patience` (seconds): for what is not worth waiting for when another holds the write lock of SQLite.
        `durable` False: the commit does not wait for the disk. A power cut may undo it, though never anything that was
        committed after it while keeping that; a crash of the process undoes nothing. For leases and marks whose loss
        only means that something is done again.
        """
        self._read_anew()
        with self._writers.turn(self._patience if patience is None else patience) as left:
            engine = self.engine
            if self.dialect == "sqlite":
                options: dict[str, Any] = {} if left >= self._patience else {_WAIT_MS: int(left * 1000)}
                if not durable:
                    options[_SYNC] = "NORMAL"
                engine = engine.execution_options(**options) if options else engine
            with Session(engine, expire_on_commit=False) as session, session.begin():
                if not durable and self.dialect == "postgresql":
                    session.connection().exec_driver_sql("SET LOCAL synchronous_commit = off")
                yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session on one snapshot that can't write; nothing is ever committed. Within `sharing_reads` it is
        the same for every caller, so that what one has read the next needn't ask for."""
        shared = _shared.get()
        if shared is None:
            with self._read_session() as session:
                try:
                    yield session
                finally:
                    session.rollback()
            return
        if self not in shared:
            shared[self] = self._read_session()
        try:
            yield shared[self]
        except (SQLAlchemyError, ReadOnlyError):
            self._read_anew()
            raise

    def _read_session(self) -> Session:
        return _ReadSession(self._reader, expire_on_commit=False)

    def _read_anew(self) -> None:
        """Ends the snapshot of a shared read. What was read so far stays as it is, for whoever is still at it."""
        if (session := (_shared.get() or {}).get(self)) is not None:
            session.expunge_all()
            session.info.pop(_REMEMBERED, None)
            session.rollback()

    def settle(self) -> None:
        """Returns once whatever was read before is as safe as an acknowledged commit.

        On PostgreSQL with standbys, a commit whose session was ended while it waited for them, or whose server was
        started anew then, is seen by others although a failover would forget it. Call it before what was only read is
        given as the answer to somebody's act: the commit of anything written waits for all before it.
        """
        if self.dialect == "postgresql":
            with self.transaction() as session:
                session.execute(_SETTLE)

    def answers(self) -> bool:
        """Whether the database answers a query (for /healthz). Raises what the driver raises if not."""
        with self.engine.connect() as connection:
            return bool(connection.execute(text("SELECT 1")).scalar_one() == 1)

    def dispose(self) -> None:
        """Closes the pooled connections; the next use opens new ones."""
        self.engine.dispose()

    def __repr__(self) -> str:
        return f"Database({self.name!r}, {self.dialect})"


def open_database(url: str, *, name: str, pool_size: int = 5, patience: float | None = None) -> Database:
    """The database behind `sqlite:///path` or `postgresql://…`; connects on first use.

    `name` shows in PostgreSQL's activity list. `patience` (seconds) is how long a statement waits for a lock, and
    whoever needs a connection for one. Raises DatabaseUrlError.
    """
    try:
        parsed = make_url(url)
        patience = _PATIENCE_SECONDS if patience is None else patience
    except ArgumentError:
        raise DatabaseUrlError("the database URL can't be read; expected sqlite:///… or postgresql://…") from None
    match parsed.get_backend_name():
        case "sqlite":
            engine = _sqlite_engine(parsed, pool_size, patience)
        case "postgresql":
            engine = _postgres_engine(parsed, name, pool_size, patience)
        case other:
            raise DatabaseUrlError(f"no support for {other} databases; expected sqlite:///… or postgresql://…")
    return Database(engine, name=name, patience=patience)


def _sqlite_engine(url: URL, pool_size: int, patience: float) -> Engine:
    if not url.database or url.database == ":memory:":
        raise DatabaseUrlError("SQLite needs a file here (sqlite:///path): threads can't share one kept in memory")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=10,
        pool_timeout=patience,
        connect_args={"timeout": patience, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", lambda connection: _begin_sqlite(connection, int(patience * 1000)))
    return engine


def _prepare_sqlite(connection: Any, _: ConnectionPoolEntry) -> None:  # Any: a DBAPI connection
    connection.isolation_level = None  # SQLAlchemy says BEGIN itself, below; the driver's own habits get in the way
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(pragma)
    (path,) = (Path(row[2]) for row in cursor.execute("PRAGMA database_list") if row[1] == "main")
    cursor.close()
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _begin_sqlite(connection: Connection, usual_ms: int) -> None:
    options = connection.get_execution_options()
    how = options.get(_BEGIN, "IMMEDIATE")
    if how == "IMMEDIATE":  # who only reads neither waits for a lock nor for the disk
        for pragma, key, usual in (("busy_timeout", _WAIT_MS, usual_ms), ("synchronous", _SYNC, "FULL")):
            wanted = options.get(key, usual)
            if connection.info.get(key, usual) != wanted:
                connection.exec_driver_sql(f"PRAGMA {pragma}={wanted}")
                connection.info[key] = wanted
    connection.exec_driver_sql(f"BEGIN {how}")


def _postgres_engine(url: URL, name: str, pool_size: int, patience: float) -> Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=10,
        pool_timeout=patience,
        pool_recycle=1800,
        connect_args={
            "connect_timeout": 5,
            "application_name": f"wayvault-{name}",
            "options": f"{_POSTGRES_OPTIONS} -c lock_timeout={int(patience * 1000)}",
        },
    )
    _ping_after_idling(engine)
    return engine


def _ping_after_idling(engine: Engine) -> None:
    """As SQLAlchemy's pool_pre_ping, except that a connection used within the last second is trusted: the ping costs
    a round trip, which a busy service would pay for every transaction."""

    def note(_: Any, record: ConnectionPoolEntry) -> None:  # Any: a DBAPI connection
        record.info["used_at"] = time.monotonic()

    def check(connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
        if time.monotonic() - record.info.setdefault("used_at", time.monotonic()) < _TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            raise DisconnectionError from error  # the pool drops it and tries another

    event.listen(engine, "checkin", note)
    event.listen(engine, "checkout", check)


def _forget_connections_after_fork(database: Database) -> None:
    reference = weakref.ref(database)

    def in_child() -> None:
        if (inherited := reference()) is not None:
            inherited.engine.dispose(close=False)  # the parent still uses them
            inherited._writers.forget()

    os.register_at_fork(after_in_child=in_child)
