"""The one Alembic environment of all services; `chassis.db.migrate` passes the connection and the tables in."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from chassis.db.types import UtcDateTime


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:  # Any: as Alembic calls it
    """Writes our own column types by their short name into new revisions."""
    if kind == "type" and isinstance(item, UtcDateTime):
        autogen.imports.add("from chassis.db import UtcDateTime")
        return "UtcDateTime()"
    return False


attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["metadata"],
    render_item=render_item,
    compare_type=True,
    render_as_batch=True,  # SQLite can't ALTER most things in place
)
with context.begin_transaction():
    context.run_migrations()
