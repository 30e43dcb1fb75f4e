"""Names of other scripts found by their Latin spellings

Revision: 0025_latin_spellings, after 0024_charge_code

Adds to clients and bookings the words by which chassis.typed.names finds "김" as Kim and "Παπαδοπούλου" as in the
passport, and gives pointed Arabic and Hebrew names the key of the same name without points. Only rows beyond ASCII are
read again. An older program beside this one finds and writes as it did.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from chassis.typed.names import full_name, sort_key, text_of, words_of

revision = "0025_latin_spellings"
down_revision = "0024_charge_code"
branch_labels = None
depends_on = None

_BATCH = 500
_OWNER = ("id", "agency_id", "agent_id", "search_text")
_client = sa.table("client", *map(sa.column, (*_OWNER, "first_name", "last_name", "sort_key")))
_client_word = sa.table("client_word", *map(sa.column, ("client_id", "word", "agency_id", "agent_id")))
_booking = sa.table("booking", *map(sa.column, (*_OWNER, "title")))
_booking_word = sa.table("booking_word", *map(sa.column, ("booking_id", "word", "agency_id", "agent_id")))
_segment = sa.table("segment", *map(sa.column, ("booking_id", "supplier_name")))
_passenger = sa.table("passenger", *map(sa.column, ("booking_id", "client_id")))


def upgrade() -> None:
    bind = op.get_bind()
    for clients in _batches(bind, _client):
        foreign = [row for row in clients if not (row.first_name + row.last_name).isascii()]
        for row in foreign:
            key = sort_key(row.first_name, row.last_name)
            bind.execute(_client.update().where(_client.c.id == row.id).values(sort_key=key))
            _add(bind, _client, _client_word, row, [*words_of(row.first_name), *words_of(row.last_name)])
    for bookings in _batches(bind, _booking):
        texts = _texts_of(bind, [row.id for row in bookings])
        for row in bookings:
            _add(
                bind,
                _booking,
                _booking_word,
                row,
                [
                    *(words_of(row.title, together=1) if not row.title.isascii() else ()),
                    *(word for text in texts[row.id] if not text.isascii() for word in words_of(text)),
                ],
            )


def downgrade() -> None:
    """The added words harm no older program."""


def _batches(bind: sa.Connection, table: sa.TableClause) -> Iterator[Sequence[sa.Row[Any]]]:
    """All rows, some at a time, in the order of their ids."""
    last = ""
    while rows := bind.execute(sa.select(table).where(table.c.id > last).order_by(table.c.id).limit(_BATCH)).all():
        yield rows
        last = rows[-1].id


def _texts_of(bind: sa.Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """Each booking's suppliers and passengers."""
    texts: dict[str, list[str]] = {booking_id: [] for booking_id in ids}
    for part in bind.execute(sa.select(_segment).where(_segment.c.booking_id.in_(ids))):
        texts[part.booking_id].append(part.supplier_name)
    for seat in bind.execute(
        sa.select(_passenger.c.booking_id, _client.c.first_name, _client.c.last_name)
        .join(_client, _client.c.id == _passenger.c.client_id)
        .where(_passenger.c.booking_id.in_(ids))
    ):
        texts[seat.booking_id].append(full_name(seat.first_name, seat.last_name))
    return texts


def _add(
    bind: sa.Connection, table: sa.TableClause, words: sa.TableClause, row: sa.Row[Any], wanted: Iterable[str]
) -> None:
    """The words that the row does not have yet, to its text and to its own rows."""
    owner = words.c[f"{table.name}_id"]
    have = set(bind.scalars(sa.select(words.c.word).where(owner == row.id)))
    lacking = [word for word in dict.fromkeys(wanted) if word not in have]
    if not lacking:
        return
    bind.execute(table.update().where(table.c.id == row.id).values(search_text=row.search_text + text_of(lacking)))
    bind.execute(
        words.insert(),
        [{owner.name: row.id, "word": word, "agency_id": row.agency_id, "agent_id": row.agent_id} for word in lacking],
    )
