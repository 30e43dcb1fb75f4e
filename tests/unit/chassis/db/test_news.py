"""News of rows: one insert for a whole transaction, nothing of what was rolled back, and stamps that can be joined."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Integer, String, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.db import Database, open_database
from chassis.db.news import News, Seen


class _Base(DeclarativeBase):
    pass


NEWS = News.attach(_Base.metadata, name="news", about="about", kept=100)


@NEWS.of("trip", "client")
class Part(_Base):
    __tablename__ = "part"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    trip: Mapped[str] = mapped_column(String(20))
    client: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(String(20), default="")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_database(f"sqlite:///{tmp_path}/parts.db", name="parts")
    _Base.metadata.create_all(made.engine)
    yield made
    made.dispose()


def _told(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(NEWS.table.c.about).order_by(NEWS.table.c.id)))


def test_a_transaction_tells_each_id_once_in_one_insert(database: Database) -> None:
    said: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *about: said.append(about[2]))
    with database.transaction() as session:
        session.add(Part(id=1, trip="oslo", client="ann"))
        session.flush()
        session.add(Part(id=2, trip="rome", client="ann"))
        session.get_one(Part, 1).text = "moved"
        NEWS.tell(session, ["desk", ""])
    assert _told(database) == ["ann", "desk", "oslo", "rome"]
    assert len([each for each in said if each.startswith("INSERT INTO news")]) == 1


def test_what_was_rolled_back_is_no_news(database: Database) -> None:
    with database.transaction() as session:
        session.add(Part(id=1, trip="oslo", client="ann"))
        session.flush()
        session.rollback()
    assert _told(database) == []


def test_a_row_that_stays_as_it_was_is_no_news(database: Database) -> None:
    with database.transaction() as session:
        session.add(Part(id=1, trip="oslo", client="ann"))
    with database.transaction() as session:
        session.get_one(Part, 1).text = ""
    assert _told(database) == ["ann", "oslo"]


def test_news_within_a_savepoint_is_told_as_well(database: Database) -> None:
    with database.transaction() as session, session.begin_nested():
        session.add(Part(id=1, trip="oslo", client="ann"))
    assert _told(database) == ["ann", "oslo"]


@given(st.lists(st.sampled_from("abcde"), max_size=8), st.sets(st.sampled_from("abcde")))
def test_what_is_seen_of_two_groups_is_what_is_seen_of_both(told: list[str], first: set[str]) -> None:
    def seen(ids: set[str]) -> Seen:
        numbers = [number for number, each in enumerate(told, 1) if each in ids]
        return Seen(max(numbers, default=0), len(numbers))

    assert seen(first) + seen(set("abcde") - first) == seen(set("abcde"))
