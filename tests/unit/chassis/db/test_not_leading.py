"""A column that must not lead: kept from SQLite's indexes, left alone on PostgreSQL."""

from sqlalchemy import Column, Index, MetaData, String, Table, create_engine, select, text

from chassis.db import NotLeading

TRIPS = Table("trips", MetaData(), Column("agency", String), Column("day", String), Column("state", String))
Index("ix_agency", TRIPS.c.agency, TRIPS.c.state)
Index("ix_day", TRIPS.c.day)
WANTED = select(TRIPS).where(
    NotLeading(TRIPS.c.agency) == "one", NotLeading(TRIPS.c.state).in_(["open", "late"]), TRIPS.c.day > "2026"
)


def test_sqlite_looks_up_by_the_other_column_and_finds_the_same() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        TRIPS.metadata.create_all(connection)
        connection.execute(
            TRIPS.insert(), [{"agency": "one", "day": f"20{year}", "state": "open"} for year in (25, 27)]
        )
        plan = connection.execute(
            text(f"EXPLAIN QUERY PLAN {WANTED.compile(engine, compile_kwargs={'literal_binds': True})}")
        ).all()
        assert [row[-1] for row in plan] == ["SEARCH trips USING INDEX ix_day (day>?)"]
        assert connection.execute(WANTED).all() == [("one", "2027", "open")]


def test_postgresql_gets_the_column_as_it_is() -> None:
    compiled = str(WANTED.compile(create_engine("postgresql+psycopg://")))
    assert "trips.agency = " in compiled
    assert "+" not in compiled
