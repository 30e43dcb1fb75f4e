"""Rows of the clients room."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chassis.db import UtcDateTime
from services.crm.core.search import KEY, WORD
from services.crm.orm import Base


class ClientRow(Base):
    """A traveler, owned by one agent.

    A profile that was merged into another (C4) stays as a signpost: `merged_into_id` names the profile that is current,
    never one that was merged itself.
    """

    __tablename__ = "client"
    __table_args__ = (
        # An agent's lists, and those of an admin, who sees the agency's; signposts stand apart in each.
        *(
            Index(f"ix_client_{whose}_{order}", f"{whose}_id", "merged_into_id", *columns, "id")
            for whose in ("agent", "agency")
            for order, columns in (
                ("name", ("sort_key",)),
                ("created", ("created_at",)),
                ("updated", ("updated_at",)),
                ("country", ("country", "sort_key")),
                ("by_email", ("email_key",)),
                ("by_city", ("city_key", "sort_key")),
            )
        ),
        # Those without an address alone, in the list's order.
        *(
            Index(
                f"ix_client_{whose}_no_email",
                f"{whose}_id",
                "merged_into_id",
                "sort_key",
                "id",
                sqlite_where=text("email = ''"),
                postgresql_where=text("email = ''"),
            )
            for whose in ("agent", "agency")
        ),
        # Of a day's birthdays the first by name, for the calendar.
        Index("ix_client_agent_birthdays", "agent_id", "birthday_month_day", "merged_into_id", "sort_key", "id"),
        Index("ix_client_agent_email", "agent_id", "email"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    first_name: Mapped[str] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    # chassis.typed.names.sort_key: what lists by name are ordered by, and by what two spellings of a name are alike.
    sort_key: Mapped[str] = mapped_column(KEY, default="", server_default="")
    email: Mapped[str] = mapped_column(String(254))
    # rules.order_keys: by what lists are ordered by address and by city.
    email_key: Mapped[str] = mapped_column(KEY, default="", server_default="")
    city_key: Mapped[str] = mapped_column(KEY, default="", server_default="")
    phone: Mapped[str] = mapped_column(String(40))
    second_phone: Mapped[str] = mapped_column(String(40))
    birthday: Mapped[date | None]
    # Month and day as 1231, for the list of the next birthdays.
    birthday_month_day: Mapped[int | None]
    street: Mapped[str] = mapped_column(String(200))
    city: Mapped[str] = mapped_column(String(100))
    region: Mapped[str] = mapped_column(String(100))
    postal_code: Mapped[str] = mapped_column(String(20))
    # ISO 3166-1 alpha-2, or empty.
    country: Mapped[str] = mapped_column(String(2))
    notes: Mapped[str] = mapped_column(Text)
    # rules.search_words, each after a blank: what search reads where many are found (services.crm.core.search).
    search_text: Mapped[str] = mapped_column(Text)
    merged_into_id: Mapped[str | None] = mapped_column(ForeignKey("client.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    words: Mapped[list["ClientWordRow"]] = relationship(cascade="all, delete-orphan")

    __mapper_args__ = {"version_id_col": version}


class ClientWordRow(Base):
    """A word that a client is found by: what search looks up where few are found."""

    __tablename__ = "client_word"
    __table_args__ = (Index("ix_client_word_found", "agency_id", "word", "agent_id", "client_id"),)

    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), primary_key=True)
    word: Mapped[str] = mapped_column(WORD, primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))


class FamilyMemberRow(Base):
    """Somebody of a client's family who need not be a client."""

    __tablename__ = "family_member"
    __table_args__ = (Index("ix_family_member_birthday", "agent_id", "born_month_day"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    first_name: Mapped[str] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    # The client's agent, for the list of the next birthdays.
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    # rules.Relation.
    relation: Mapped[str] = mapped_column(String(16))
    born_on: Mapped[date | None]
    born_month_day: Mapped[int | None]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OccasionRow(Base):
    """A day that comes back every year: an anniversary, somebody's birthday, anything else."""

    __tablename__ = "occasion"
    __table_args__ = (Index("ix_occasion_day", "agent_id", "month_day"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    # The client's agent, for the list of the next occasions.
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    # rules.OccasionKind.
    kind: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(80))
    # Where the year is not known it is a leap year that means nothing.
    first_on: Mapped[date]
    year_known: Mapped[bool]
    month_day: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ClientChangeRow(Base):
    """When a field of a profile last changed and who did it, to decide which of two changes is the newer one.

    `field` is one of rules.ProfileField, or `family:ID` and `occasion:ID` for a row that was taken away.
    """

    __tablename__ = "client_change"

    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), primary_key=True)
    field: Mapped[str] = mapped_column(String(90), primary_key=True)
    # rules.ChangedBy.
    changed_by: Mapped[str] = mapped_column(String(8))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # What stood there before, in words.
    was: Mapped[str] = mapped_column(Text)
    # When the agent took note of a change by the client.
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
