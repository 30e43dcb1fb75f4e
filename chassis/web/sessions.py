"""Sessions kept by the server: the browser holds a random token, the database its SHA-256 and nothing else.

docs/security.md, People and sessions: idle timeout enforced here [8.2.8], id rotated at sign-in [7.2.4], ended by
the server at sign-out [7.4.1]. Requests marked passive (alert polling) don't keep a session awake.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request, session
from flask_wtf.csrf import generate_csrf
from sqlalchemy import JSON, Column, Index, MetaData, RowMapping, String, Table, delete, insert, select, update

from chassis.clock import Clock
from chassis.db import DATABASE_AWAY, Database, UtcDateTime
from chassis.ids import new_id, new_link_token, token_sha256

IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=12)
# Rows of ended sessions stay this long, so that a person can see where they were signed in lately.
_KEPT_AFTER_END = timedelta(days=30)
# A session's last use is written at most this often; it can only make the idle time shorter, by this much.
_TOUCH_EVERY = timedelta(seconds=5)
_TOUCH_PATIENCE = 0.2
_PASSIVE_HEADER = "X-Wayvault-Passive"

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTables:
    """The table that a service keeps its sessions in."""

    sessions: Table

    @classmethod
    def attach(cls, metadata: MetaData, *, name: str = "web_sessions") -> "SessionTables":
        """Adds the table to a service's metadata (so that its migrations make it). A service with two kinds of
        sessions in one browser keeps each in a table of its own."""
        table = Table(
            name,
            metadata,
            Column("id", String(40), primary_key=True),
            Column("token_sha256", String(64), nullable=False, unique=True),
            Column("subject", String(80), nullable=False),
            Column("data", JSON, nullable=False),
            Column("created_at", UtcDateTime, nullable=False),
            Column("last_seen_at", UtcDateTime, nullable=False),
            Column("ended_at", UtcDateTime, nullable=True),
            Column("ip", String(45), nullable=False),
            Column("user_agent", String(300), nullable=False),
        )
        Index(f"ix_{name}_subject", table.c.subject)
        return cls(sessions=table)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSession:
    """One sign-in of one browser. `subject` says who: an agent's id, a client's, or a payment link's."""

    id: str
    subject: str
    data: Mapping[str, Any]  # Any: JSON values, the service's own
    created_at: datetime
    last_seen_at: datetime
    ip: str
    user_agent: str


def passive(view: View) -> View:
    """Marks a view whose requests the page makes by itself: they don't extend the idle time."""
    view.__dict__["wv_passive"] = True
    return view


class ServerSessions:
    """Starts, finds, rotates and ends sessions. Methods without an id are about the current request's session."""

    def __init__(
        self,
        database: Database,
        tables: SessionTables,
        clock: Clock,
        *,
        service: str,
        https: bool,
        idle: timedelta = IDLE,
        absolute: timedelta = ABSOLUTE,
    ) -> None:
        self._database = database
        self._table = tables.sessions
        self._clock = clock
        self._https = https
        self._idle = idle
        self._absolute = absolute
        # Where this request's findings are kept in `g`: an app may have two kinds of sessions side by side.
        self._here = f"wv_session_{tables.sessions.name}"
        self.cookie_name = f"__Host-wv_{service}_session" if https else f"wv_{service}_session"

    def init_app(self, app: Flask) -> None:
        """Lets the app's answers carry the cookie."""
        app.after_request(self._send_cookie)

    def current(self) -> WebSession | None:
        """The session of this request, or None: never started, ended, or timed out. Counts as use."""
        if self._here not in g:
            setattr(g, self._here, self._load())
        found: WebSession | None = g.get(self._here)
        return found

    @property
    def idle(self) -> timedelta:
        """How long a session lives without use."""
        return self._idle

    def seconds_left(self) -> int | None:
        """How long the current session lives without further use; None without one."""
        found = self.current()
        if found is None:
            return None
        now = self._clock.now()
        ends = min(found.last_seen_at + self._idle, found.created_at + self._absolute)
        return max(0, int((ends - now).total_seconds()))

    def lost(self) -> WebSession | None:
        """The session that this request came with and that is over: idled out, aged out, or ended from elsewhere."""
        self.current()
        found: WebSession | None = g.get(f"{self._here}_lost")
        return found

    def timed_out(self) -> bool:
        """Whether this request came with a session that idled or aged out, so that the sign-in page can say so."""
        self.current()
        return bool(g.get(f"{self._here}_timed_out", False))

    def start(self, subject: str, data: Mapping[str, Any] | None = None) -> WebSession:
        """A new session with a new token; the browser's old one, if any, is ended."""
        self.end()
        now = self._clock.now()
        token = new_link_token()
        row = {
            "id": new_id("ses"),
            "subject": subject,
            "data": dict(data or {}),
            "created_at": now,
            "last_seen_at": now,
            "ip": request.remote_addr or "",
            "user_agent": request.user_agent.string[:300],
        }
        with self._database.transaction() as db:
            db.execute(insert(self._table).values(token_sha256=token_sha256(token), **row))
        self._remember(token)
        started = _to_session(row)
        setattr(g, self._here, started)
        return started

    def rotate(self) -> None:
        """Gives the current session a new token; the old one is worthless at once."""
        found = self.current()
        if found is None:
            return
        token = new_link_token()
        with self._database.transaction() as db:
            db.execute(update(self._table).where(self._table.c.id == found.id).values(token_sha256=token_sha256(token)))
        self._remember(token)

    def replace_data(self, data: Mapping[str, Any]) -> None:
        """Writes what the current session carries."""
        found = self.current()
        if found is None:
            return
        with self._database.transaction() as db:
            db.execute(update(self._table).where(self._table.c.id == found.id).values(data=dict(data)))
        setattr(g, self._here, replace(found, data=MappingProxyType(dict(data))))

    def end(self) -> None:
        """Ends the current session in the database and takes the cookie away."""
        found = self.current()
        if found is not None:
            self._end_where(self._table.c.id == found.id)
        if self.cookie_name in request.cookies:
            setattr(g, f"{self._here}_cookie", "")
        setattr(g, self._here, None)
        _renew_csrf_token()

    def list_for(self, subject: str) -> list[WebSession]:
        """A person's live sessions, latest use first."""
        now = self._clock.now()
        with self._database.read() as db:
            rows = db.execute(
                select(self._table)
                .where(
                    self._table.c.subject == subject,
                    self._table.c.ended_at.is_(None),
                    self._table.c.last_seen_at > now - self._idle,
                    self._table.c.created_at > now - self._absolute,
                )
                .order_by(self._table.c.last_seen_at.desc())
            ).mappings()
            return [_to_session(row) for row in rows]

    def end_one(self, session_id: str, *, subject: str) -> bool:
        """Ends one of a person's own sessions; False when they have none by that id."""
        return bool(self._end_where(self._table.c.id == session_id, self._table.c.subject == subject))

    def end_all(self, subject: str, *, but: str = "") -> int:
        """Ends a person's sessions (after a password change), but one if wished. Returns how many."""
        return self._end_where(self._table.c.subject == subject, self._table.c.id != but)

    def sweep(self) -> int:
        """Deletes rows that nobody needs any more. Returns how many."""
        limit = self._clock.now() - _KEPT_AFTER_END
        with self._database.transaction() as db:
            rows = db.execute(delete(self._table).where(self._table.c.last_seen_at < limit).returning(self._table.c.id))
            return len(rows.all())

    def _load(self) -> WebSession | None:
        token = request.cookies.get(self.cookie_name, "")
        if not token:
            return None
        with self._database.read() as db:
            row = (
                db.execute(select(self._table).where(self._table.c.token_sha256 == token_sha256(token)))
                .mappings()
                .one_or_none()
            )
        if row is None:
            return None
        now = self._clock.now()
        # A page that asked how long is left has ended it already; how it came to its end is the same.
        end = row["ended_at"] or now
        ran_out = end - row["last_seen_at"] >= self._idle or end - row["created_at"] >= self._absolute
        if row["ended_at"] is not None or ran_out:
            if row["ended_at"] is None:
                self._end_where(self._table.c.id == row["id"])
            setattr(g, f"{self._here}_timed_out", ran_out)
            setattr(g, f"{self._here}_lost", _to_session(row))
            return None
        if now - row["last_seen_at"] >= _TOUCH_EVERY and not is_passive():
            self._touch(row["id"], now)
        return _to_session(row)

    def _touch(self, session_id: str, now: datetime) -> None:
        """Notes the use. A database that somebody else holds is no reason to keep a reader waiting: the next request
        notes it."""
        with suppress(*DATABASE_AWAY), self._database.transaction(patience=_TOUCH_PATIENCE, durable=False) as db:
            db.execute(update(self._table).where(self._table.c.id == session_id).values(last_seen_at=now))

    def _end_where(self, *conditions: Any) -> int:  # Any: SQLAlchemy's column expressions
        with self._database.transaction() as db:
            rows = db.execute(
                update(self._table)
                .where(self._table.c.ended_at.is_(None), *conditions)
                .values(ended_at=self._clock.now())
                .returning(self._table.c.id)
            )
            return len(rows.all())

    def _remember(self, token: str) -> None:
        setattr(g, f"{self._here}_cookie", token)
        _renew_csrf_token()

    def _send_cookie(self, response: Response) -> Response:
        token = g.get(f"{self._here}_cookie")
        if token is None:
            return response
        if token:
            response.set_cookie(self.cookie_name, token, path="/", secure=self._https, httponly=True, samesite="Lax")
        else:
            response.delete_cookie(self.cookie_name, path="/", secure=self._https, httponly=True, samesite="Lax")
        return response


def _renew_csrf_token() -> None:
    """A form token made before a sign-in or sign-out is not good after it. The new one goes with this very answer: of
    two requests that came next without any, each would get one, and the page of the first would be refused."""
    session.pop("csrf_token", None)
    g.pop("csrf_token", None)
    generate_csrf()


def is_passive() -> bool:
    """Whether the page makes this request by itself: it counts as no use, and must change nothing."""
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "wv_passive", False)) or _PASSIVE_HEADER in request.headers


def _to_session(row: "RowMapping | dict[str, Any]") -> WebSession:
    return WebSession(
        id=row["id"],
        subject=row["subject"],
        data=MappingProxyType(dict(row["data"])),
        created_at=row["created_at"],
        last_seen_at=row["last_seen_at"],
        ip=row["ip"],
        user_agent=row["user_agent"],
    )
