"""Names in order, and found however they are written

Revision: 0005_names_in_order, after 0004_former_days

Clients get the key by which they are sorted, and clients and bookings the words by which chassis.typed.names finds
them. An older program beside this one goes on working: it neither reads nor writes the key, and what it saves gets
its own when it is saved again.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from chassis.typed.names import LONGEST_KEY, email_words, full_name, sort_key, text_of, title_key, words_of
from chassis.typed.phones import found_by

revision = "0005_names_in_order"
down_revision = "0004_former_days"
branch_labels = None
depends_on = None

_BATCH = 500
_KEY = sa.String(LONGEST_KEY).with_variant(sa.String(LONGEST_KEY, collation="C"), "postgresql")

_client = sa.table(
    "client",
    *map(sa.column, ("id", "agency_id", "agent_id", "first_name", "last_name", "email", "phone", "second_phone")),
    *map(sa.column, ("sort_key", "search_text")),
)
_client_word = sa.table("client_word", *map(sa.column, ("client_id", "word", "agency_id", "agent_id")))
_booking = sa.table("booking", *map(sa.column, ("id", "agency_id", "agent_id", "title", "title_folded", "search_text")))
_booking_word = sa.table("booking_word", *map(sa.column, ("booking_id", "word", "agency_id", "agent_id")))
_segment = sa.table("segment", *map(sa.column, ("booking_id", "position", "supplier_name", "confirmation_number")))
_passenger = sa.table("passenger", *map(sa.column, ("booking_id", "client_id", "position")))


def upgrade() -> None:
    # Altered in place: SQLite's copy of a table would take its rows' words along.
    op.add_column("client", sa.Column("sort_key", _KEY, server_default="", nullable=False))
    for whose in ("agent", "agency"):
        _replace(f"ix_client_{whose}_name", [f"{whose}_id", "merged_into_id", "sort_key", "id"])
        _replace(f"ix_client_{whose}_country", [f"{whose}_id", "merged_into_id", "country", "sort_key", "id"])
        _replace(
            f"ix_client_{whose}_no_email",
            [f"{whose}_id", "merged_into_id", "sort_key", "id"],
            sqlite_where=sa.text("email = ''"),
            postgresql_where=sa.text("email = ''"),
        )
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("booking", "title_folded", type_=sa.Text(collation="C"), existing_nullable=False)
    _fill_clients(op.get_bind())
    _fill_bookings(op.get_bind())


def downgrade() -> None:
    for whose in ("agent", "agency"):
        _replace(f"ix_client_{whose}_name", [f"{whose}_id", "merged_into_id", "last_name", "first_name", "id"])
        _replace(
            f"ix_client_{whose}_country", [f"{whose}_id", "merged_into_id", "country", "last_name", "first_name", "id"]
        )
        _replace(
            f"ix_client_{whose}_no_email",
            [f"{whose}_id", "merged_into_id", "last_name", "first_name", "id"],
            sqlite_where=sa.text("email = ''"),
            postgresql_where=sa.text("email = ''"),
        )
    op.drop_column("client", "sort_key")


def _replace(name: str, columns: Sequence[str], **where: Any) -> None:  # Any: a dialect's own options
    op.drop_index(name, table_name="client")
    op.create_index(name, "client", list(columns), unique=False, **where)


def _batches(bind: sa.Connection, table: sa.TableClause) -> Iterator[Sequence[sa.Row[Any]]]:
    """All rows, some at a time, in the order of their ids."""
    last = ""
    while rows := bind.execute(sa.select(table).where(table.c.id > last).order_by(table.c.id).limit(_BATCH)).all():
        yield rows
        last = rows[-1].id


def _fill_clients(bind: sa.Connection) -> None:
    for rows in _batches(bind, _client):
        words = {row.id: _client_words(row) for row in rows}
        bind.execute(
            _client.update()
            .where(_client.c.id == sa.bindparam("row_id"))
            .values(sort_key=sa.bindparam("key"), search_text=sa.bindparam("text")),
            [
                {"row_id": row.id, "key": sort_key(row.first_name, row.last_name), "text": text_of(words[row.id])}
                for row in rows
            ],
        )
        _set_words(bind, _client_word, "client_id", rows, words)


def _client_words(row: sa.Row[Any]) -> list[str]:
    names = [*words_of(row.first_name), *words_of(row.last_name), *email_words(row.email)]
    return list(dict.fromkeys([*names, *found_by(row.phone), *found_by(row.second_phone)]))


def _fill_bookings(bind: sa.Connection) -> None:
    for rows in _batches(bind, _booking):
        texts = _texts_of(bind, [row.id for row in rows])
        words = {
            row.id: list(
                dict.fromkeys(
                    [*words_of(row.title, together=1), *(word for text in texts[row.id] for word in words_of(text))]
                )
            )
            for row in rows
        }
        bind.execute(
            _booking.update()
            .where(_booking.c.id == sa.bindparam("row_id"))
            .values(title_folded=sa.bindparam("key"), search_text=sa.bindparam("text")),
            [{"row_id": row.id, "key": title_key(row.title), "text": text_of(words[row.id])} for row in rows],
        )
        _set_words(bind, _booking_word, "booking_id", rows, words)


def _texts_of(bind: sa.Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """Each booking's suppliers, confirmation numbers and passengers."""
    texts: dict[str, list[str]] = {booking_id: [] for booking_id in ids}
    for part in bind.execute(
        sa.select(_segment).where(_segment.c.booking_id.in_(ids)).order_by(_segment.c.booking_id, _segment.c.position)
    ):
        texts[part.booking_id] += [part.supplier_name, part.confirmation_number]
    for seat in bind.execute(
        sa.select(_passenger.c.booking_id, _client.c.first_name, _client.c.last_name)
        .join(_client, _client.c.id == _passenger.c.client_id)
        .where(_passenger.c.booking_id.in_(ids))
        .order_by(_passenger.c.booking_id, _passenger.c.position)
    ):
        texts[seat.booking_id].append(full_name(seat.first_name, seat.last_name))
    return texts


def _set_words(
    bind: sa.Connection,
    table: sa.TableClause,
    owner: str,
    rows: Sequence[sa.Row[Any]],
    words: dict[str, list[str]],
) -> None:
    bind.execute(table.delete().where(table.c[owner].in_([row.id for row in rows])))
    found = [
        {owner: row.id, "word": word, "agency_id": row.agency_id, "agent_id": row.agent_id}
        for row in rows
        for word in words[row.id]
    ]
    if found:
        bind.execute(table.insert(), found)
