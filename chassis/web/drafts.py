"""What was typed when a session had ended: kept for an hour, sealed, for the same person's return.

The form that came too late is not carried out. Its values wait here, sealed with a key of this service, bound to the
person whose session it was; after signing in again they stand in the form that they came from. Never a card, never a
password or code (chassis.web.typed_values).
"""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, cast
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask, current_app, request, session
from sqlalchemy import Column, Index, MetaData, String, Table, Text, delete, insert, select

from chassis.clock import Clock
from chassis.db import Database, UtcDateTime
from chassis.ids import new_id
from chassis.web.redirects import local_path
from chassis.web.typed_values import typed_values

KEPT_FOR: Final = timedelta(hours=1)
_MOST_PER_PERSON: Final = 10
_EXTENSION: Final = "wv_drafts"
# In the signed cookie: whether this browser has left a draft, so that pages without one ask no database.
_MARK: Final = "wv_draft"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The values of one form. `back` is the page that holds the form, `action` where the form is sent."""

    back: str
    action: str
    fields: list[tuple[str, str]]


def draft_table(metadata: MetaData, *, name: str = "web_drafts") -> Table:
    """The table that a service keeps its drafts in (its migrations make it)."""
    table = Table(
        name,
        metadata,
        Column("id", String(40), primary_key=True),
        Column("subject", String(80), nullable=False),
        Column("back", String(500), nullable=False),
        Column("action", String(500), nullable=False),
        Column("sealed", Text, nullable=False),
        Column("kept_at", UtcDateTime, nullable=False),
    )
    Index(f"ix_{name}_subject", table.c.subject)
    return table


class Drafts:
    """One service's drafts."""

    def __init__(self, database: Database, table: Table, clock: Clock, *, secret_key: str) -> None:
        self._database = database
        self._table = table
        self._clock = clock
        derived = HKDF(SHA256(), 32, salt=None, info=b"wayvault drafts").derive(secret_key.encode())
        self._sealer = Fernet(urlsafe_b64encode(derived))

    def keep(self, subject: str, draft: Draft) -> None:
        """Keeps a draft; of an earlier one of the same form only the newer stays."""
        now = self._clock.now()
        columns = self._table.c
        with self._database.transaction() as db:
            same = (columns.subject == subject) & (columns.action == draft.action)
            db.execute(delete(self._table).where(same | (columns.kept_at < now - KEPT_FOR)))
            held = db.execute(
                select(columns.id).where(columns.subject == subject).order_by(columns.kept_at.desc())
            ).scalars()
            if surplus := list(held)[_MOST_PER_PERSON - 1 :]:
                db.execute(delete(self._table).where(columns.id.in_(surplus)))
            db.execute(
                insert(self._table).values(
                    id=new_id("drf"),
                    subject=subject,
                    back=draft.back,
                    action=draft.action,
                    sealed=self._sealer.encrypt(json.dumps(draft.fields).encode()).decode("ascii"),
                    kept_at=now,
                )
            )

    def find(self, subject: str, back: str) -> Draft | None:
        """The person's newest draft of a form on this page."""
        columns = self._table.c
        with self._database.read() as db:
            row = db.execute(
                select(columns.action, columns.sealed)
                .where(
                    columns.subject == subject,
                    columns.back == back,
                    columns.kept_at >= self._clock.now() - KEPT_FOR,
                )
                .order_by(columns.kept_at.desc())
                .limit(1)
            ).one_or_none()
        if row is None:
            return None
        try:
            fields = json.loads(self._sealer.decrypt(row.sealed.encode("ascii")))
        except InvalidToken:  # the key was changed
            return None
        return Draft(back=back, action=row.action, fields=[(name, value) for name, value in fields])

    def drop(self, subject: str, action: str) -> None:
        """Forgets a draft: its form was sent."""
        columns = self._table.c
        with self._database.transaction() as db:
            db.execute(delete(self._table).where(columns.subject == subject, columns.action == action))

    def sweep(self) -> None:
        """Forgets what is over an hour old."""
        with self._database.transaction() as db:
            db.execute(delete(self._table).where(self._table.c.kept_at < self._clock.now() - KEPT_FOR))


def install_drafts(app: Flask, drafts: Drafts) -> None:
    """Gives an app its drafts."""
    app.extensions[_EXTENSION] = drafts


def _drafts() -> Drafts:
    return cast(Drafts, current_app.extensions[_EXTENSION])


def way_back() -> str:
    """The page to come back to after signing in: this one, or for a form the page that it stands on."""
    here = request.full_path.rstrip("?")
    if request.method == "GET":
        return here
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc == request.host and came_from.path:
        return local_path(f"{came_from.path}?{came_from.query}".rstrip("?"), default="/")
    adapter = current_app.create_url_adapter(request)
    return here if adapter is not None and adapter.test(request.path, method="GET") else "/"


def keep_draft(subject: str) -> str:
    """Keeps what this request's form holds for `subject`, if anything, and gives the way back."""
    back = way_back()
    fields = typed_values() if request.method == "POST" else []
    if subject and fields and len(back) <= 500 and len(request.path) <= 500:
        _drafts().keep(subject, Draft(back=back, action=request.path, fields=fields))
        session[_MARK] = True
    return back


def waiting_draft(subject: str) -> Draft | None:
    """The draft of a form on the page at hand, for the person who signed in again."""
    if not session.get(_MARK) or request.method != "GET":
        return None
    return _drafts().find(subject, request.full_path.rstrip("?"))


def forget_sent_draft(subject: str) -> None:
    """Before a form is carried out: its draft has done its service."""
    if session.get(_MARK) and request.method == "POST":
        _drafts().drop(subject, request.path)
