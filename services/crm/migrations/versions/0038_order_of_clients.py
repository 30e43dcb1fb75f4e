"""Clients are ordered by e-mail address and by city, and trips' last days are found, through indexes

Revision: 0038_order_of_clients, after 0037_more_latin_spellings

Expand only: two columns with their keys, and indexes (that of birthdays takes the place of a shorter one). A client whom an older program writes beside this one has the keys
of before until they are saved again, and is only out of place in these two orders.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from chassis.typed.names import LONGEST_KEY, title_key

revision = "0038_order_of_clients"
down_revision = "0037_more_latin_spellings"
branch_labels = None
depends_on = None

_BATCH = 1_000
_KEY = sa.String(length=LONGEST_KEY).with_variant(sa.String(length=LONGEST_KEY, collation="C"), "postgresql")
_INDEXES = {"by_email": ["email_key"], "by_city": ["city_key", "sort_key"]}
_BY_NAME = ("merged_into_id", "sort_key", "id")
_client = sa.table("client", *map(sa.column, ("id", "email", "city", "email_key", "city_key")))


def upgrade() -> None:
    for name in ("email_key", "city_key"):
        op.add_column("client", sa.Column(name, _KEY, server_default="", nullable=False))
    bind = op.get_bind()
    fill = (
        _client.update()
        .where(_client.c.id == sa.bindparam("client_id"))
        .values(email_key=sa.bindparam("by_email"), city_key=sa.bindparam("by_city"))
    )
    for rows in _batches(bind):
        bind.execute(
            fill,
            [
                {
                    "client_id": row.id,
                    "by_email": row.email.lower()[:LONGEST_KEY],
                    "by_city": title_key(row.city)[:LONGEST_KEY],
                }
                for row in rows
            ],
        )
    for whose in ("agent", "agency"):
        for name, columns in _INDEXES.items():
            op.create_index(f"ix_client_{whose}_{name}", "client", [f"{whose}_id", "merged_into_id", *columns, "id"])
        # Of indexes that fit alike SQLite takes the newest: that of those without an address must stay it.
        op.drop_index(f"ix_client_{whose}_no_email", table_name="client")
        op.create_index(
            f"ix_client_{whose}_no_email", "client", [f"{whose}_id", *_BY_NAME],
            sqlite_where=sa.text("email = ''"), postgresql_where=sa.text("email = ''"),
        )  # fmt: skip
    op.create_index("ix_segment_ends", "segment", ["booking_id", "cancelled_at", "ends_on"])
    op.create_index("ix_client_agent_birthdays", "client", ["agent_id", "birthday_month_day", *_BY_NAME])
    op.drop_index("ix_client_agent_birthday", table_name="client")


def downgrade() -> None:
    op.create_index("ix_client_agent_birthday", "client", ["agent_id", "birthday_month_day"])
    op.drop_index("ix_client_agent_birthdays", table_name="client")
    op.drop_index("ix_segment_ends", table_name="segment")
    for whose in ("agent", "agency"):
        for name in _INDEXES:
            op.drop_index(f"ix_client_{whose}_{name}", table_name="client")
    for name in ("email_key", "city_key"):
        op.drop_column("client", name)


def _batches(bind: sa.Connection) -> Iterator[Sequence[sa.Row[Any]]]:
    """All clients, some at a time, in the order of their ids."""
    last = ""
    while rows := bind.execute(
        sa.select(_client.c.id, _client.c.email, _client.c.city)
        .where(_client.c.id > last)
        .order_by(_client.c.id)
        .limit(_BATCH)
    ).all():
        yield rows
        last = rows[-1].id
