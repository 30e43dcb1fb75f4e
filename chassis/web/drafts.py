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
from chassis.web.typed_values import DRAFT_FIELD, chosen_files, typed_values

KEPT_FOR: Final = timedelta(hours=1)
_MOST_PER_PERSON: Final = 10
# As the table has it.
_LONGEST_WAY: Final = 500
_EXTENSION: Final = "wv_drafts"
# In the signed cookie: whether this browser has left a draft, so that pages without one ask no database.
_MARK: Final = "wv_draft"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The values of one form. `back` is the page that holds the form, `action` where the form is sent.

    `id` is its own once it was kept. The names of files stand among the fields (chassis.web.typed_values.FILE_MARK).
    """

    back: str
    action: str
    fields: list[tuple[str, str]]
    id: str = ""


def draft_table(metadata: MetaData, *, name: str = "web_drafts") -> Table:
    """The table that a service keeps its drafts in (its migrations make it)."""
    table = Table(
        name,
        metadata,
        Column("id", String(40), primary_key=True),
        Column("subject", String(80), nullable=False),
        Column("back", String(_LONGEST_WAY), nullable=False),
        Column("action", String(_LONGEST_WAY), nullable=False),
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

    def keep(self, subject: str, draft: Draft, *, instead_of: str = "") -> None:
        """Keeps a draft, in place of the one that stood in its form and of any that holds the same: two windows may
        hold two texts for one form, and one may send its text twice."""
        now = self._clock.now()
        columns = self._table.c
        with self._database.transaction() as db:
            here = (columns.subject == subject) & (columns.action == draft.action)
            found = db.execute(select(columns.id, columns.sealed).where(here)).all()
            same = [row.id for row in found if row.id == instead_of or self._opened(row.sealed) == draft.fields]
            db.execute(delete(self._table).where(columns.id.in_(same) | (columns.kept_at < now - KEPT_FOR)))
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
                select(columns.id, columns.action, columns.sealed)
                .where(
                    columns.subject == subject,
                    columns.back == back,
                    columns.kept_at >= self._clock.now() - KEPT_FOR,
                )
                .order_by(columns.kept_at.desc())
                .limit(1)
            ).one_or_none()
        if row is None or (fields := self._opened(row.sealed)) is None:
            return None
        return Draft(back=back, action=row.action, fields=fields, id=row.id)

    def _opened(self, sealed: str) -> list[tuple[str, str]] | None:
        """None for what an earlier key sealed."""
        try:
            fields = json.loads(self._sealer.decrypt(sealed.encode("ascii")))
        except InvalidToken:
            return None
        return [(name, value) for name, value in fields]

    def drop(self, subject: str, action: str, draft_id: str = "") -> None:
        """Forgets a draft, because its form was sent: the one that stood in it, or the newest where it does not say."""
        columns = self._table.c
        with self._database.transaction() as db:
            here = (columns.subject == subject) & (columns.action == action)
            newest = select(columns.id).where(here).order_by(columns.kept_at.desc()).limit(1)
            which = draft_id or db.execute(newest).scalar_one_or_none()
            db.execute(delete(self._table).where(columns.subject == subject, columns.id == which))

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
        page = _page_of(came_from.path)
        query = came_from.query if page == came_from.path else ""
        # Of a list with very many filters, its page alone.
        return local_path(f"{page}?{query}".rstrip("?"), default=local_path(page, default="/"))
    return here if _page_of(request.path) == request.path else "/"


def _page_of(path: str) -> str:
    """The page itself, or the one above it: a form that was refused stands where it was sent to, and some of these
    addresses can't be opened."""
    adapter = current_app.create_url_adapter(request)
    while path and adapter is not None and not adapter.test(path, method="GET"):
        path = path.rpartition("/")[0]
    return path or "/"


def keep_draft(subject: str) -> str:
    """Keeps what this request's form holds for `subject`, if anything, and gives the way back."""
    back = way_back()
    fields = [*typed_values(), *chosen_files()] if request.method == "POST" else []
    if subject and fields and len(back) <= _LONGEST_WAY and len(request.path) <= _LONGEST_WAY:
        draft = Draft(back=back, action=request.path, fields=fields)
        _drafts().keep(subject, draft, instead_of=request.form.get(DRAFT_FIELD, ""))
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
        _drafts().drop(subject, request.path, request.form.get(DRAFT_FIELD, ""))
