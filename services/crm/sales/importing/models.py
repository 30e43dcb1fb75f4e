"""Rows of the importing room."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, deferred, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class ClientImportRow(Base):
    """A list that an agent brings in: the file, how it is read, how far it is."""

    __tablename__ = "client_import"
    __table_args__ = (
        Index("ix_client_import_agent", "agent_id", "created_at"),
        # What the worker takes up next.
        Index("ix_client_import_state", "state", "lease_until"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    file_name: Mapped[str] = mapped_column(String(200))
    # Gone once nothing more is to be done with it; lists don't read it.
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    # rules.ImportState.
    state: Mapped[str] = mapped_column(String(16))
    # tables.Layout and rows.Reading, as JSON.
    layout: Mapped[dict[str, Any]] = mapped_column(JSON)  # Any: JSON
    reading: Mapped[dict[str, Any]] = mapped_column(JSON)  # Any: JSON
    # matching.Policy by matching.Likeness.
    policies: Mapped[dict[str, str]] = mapped_column(JSON)
    total: Mapped[int]
    # How many rows, or at an undo items, the present step is through with.
    done: Mapped[int]
    # rules.Counts of the present step.
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    # rules.Example of the dry run, as JSON.
    examples: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # Any: JSON
    # In words, where a step came to nothing; empty else.
    problem: Mapped[str] = mapped_column(String(300))
    # Which worker has it, and until when unless it goes on.
    lease: Mapped[str] = mapped_column(String(64))
    lease_until: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ClientImportItemRow(Base):
    """What became of a client by an import, so that it can be undone."""

    __tablename__ = "client_import_item"

    import_id: Mapped[str] = mapped_column(ForeignKey("client_import.id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    # The profile's version after the import: whoever changes it later counts it on.
    version: Mapped[int]
    # The profile before, as JSON; NULL = the import made it.
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # Any: JSON
    # The profile after, as JSON; NULL where `before` is.
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # Any: JSON
    # What an undo left since somebody had changed it: fields with commas between, or KEPT_WHOLE.
    kept_fields: Mapped[str] = mapped_column(String(200), default="", server_default="")


class ClientImportPairRow(Base):
    """A row that looks like somebody known, or like a row before it, and what is to become of it."""

    __tablename__ = "client_import_pair"
    __table_args__ = (Index("ix_client_import_pair_differs", "import_id", "differs", "place"),)

    import_id: Mapped[str] = mapped_column(ForeignKey("client_import.id", ondelete="CASCADE"), primary_key=True)
    # Among the rows, from 0; `number` is what the file's reader counts.
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    name: Mapped[str] = mapped_column(String(170))
    # The known client; of a row of the same file, the one that it is to become.
    client_id: Mapped[str] = mapped_column(String(64))
    # matching.Likeness.
    likeness: Mapped[str] = mapped_column(String(8))
    # The row as a client, and the row before it that it looks like; empty once the file is gone, or for somebody known.
    data: Mapped[dict[str, Any]] = mapped_column(JSON)  # Any: JSON
    earlier: Mapped[dict[str, Any]] = mapped_column(JSON)  # Any: JSON
    # The fields in which the row says something else, with commas between.
    differs: Mapped[str] = mapped_column(String(120))
    # pairs.Decision; empty = by the likeness's policy.
    decision: Mapped[str] = mapped_column(String(8))
    # merging's Side by field, where the agent chose one.
    sides: Mapped[dict[str, str]] = mapped_column(JSON)
    # pairs.Decision, once it was carried out.
    outcome: Mapped[str] = mapped_column(String(8))
