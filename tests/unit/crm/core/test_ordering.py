"""An order of a list is the same both ways round, on every page, whatever is missing."""

from enum import StrEnum

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, select
from sqlalchemy.dialects import postgresql

from chassis.db import AsText
from services.crm.core.ordering import Key, Order, falls, in_order


class Sort(StrEnum):
    NAME = "name"
    AMOUNT = "amount"


_rows = Table("row", MetaData(), Column("id", String, primary_key=True), Column("name", String), Column("n", Integer))
_KEYS = {Sort.NAME: Key(AsText(_rows.c.name)), Sort.AMOUNT: Key(_rows.c.n, falling=True, gaps=True)}
_values = st.lists(st.tuples(st.text(max_size=4).filter(lambda it: "\0" not in it), st.none() | st.integers(0, 5)))


def _in(order: Order[Sort], values: list[tuple[str, int | None]], size: int = 1_000) -> list[tuple[str, int | None]]:
    engine = create_engine("sqlite://")
    _rows.metadata.create_all(engine)
    with engine.begin() as connection:
        for number, (name, amount) in enumerate(values):
            connection.execute(_rows.insert().values(id=f"{number:03}", name=name, n=amount))
        query = in_order(select(_rows.c.name, _rows.c.n), order, _KEYS, _rows.c.id)
        found: list[tuple[str, int | None]] = []
        while page := connection.execute(query.limit(size).offset(len(found))).all():
            found += [(row.name, row.n) for row in page]
    engine.dispose()
    return found


def _folded(name: str) -> bytes:
    return "".join(char.lower() if char.isascii() else char for char in name).encode()


@given(values=_values)
def test_texts_are_ordered_by_code_point_without_case_and_turn_round(values: list[tuple[str, int | None]]) -> None:
    rising = [name for name, _ in _in(Order(Sort.NAME), values)]
    assert [_folded(name) for name in rising] == sorted(_folded(name) for name, _ in values)
    assert [name for name, _ in _in(Order(Sort.NAME, turned=True), values)] == rising[::-1]


@given(values=_values)
def test_what_is_missing_comes_last_either_way(values: list[tuple[str, int | None]]) -> None:
    known = sorted(amount for _, amount in values if amount is not None)
    gaps = [None] * (len(values) - len(known))
    assert [amount for _, amount in _in(Order(Sort.AMOUNT), values)] == [*known[::-1], *gaps]
    assert [amount for _, amount in _in(Order(Sort.AMOUNT, turned=True), values)] == [*known, *gaps]


@given(values=_values.map(lambda it: it[:12]))
def test_pages_hold_every_row_once(values: list[tuple[str, int | None]]) -> None:
    for order in (Order(Sort.NAME), Order(Sort.AMOUNT, turned=True)):
        assert _in(order, values, size=3) == _in(order, values)


def test_postgresql_orders_a_text_as_sqlite_does_whatever_its_collation() -> None:
    query = in_order(select(_rows.c.id), Order(Sort.NAME), _KEYS, _rows.c.id)
    words = str(query.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert 'lower((row.name) COLLATE "C")' in words


def test_an_order_is_said_in_an_address_and_to_a_screen_reader() -> None:
    assert (Order(Sort.AMOUNT).address, Order(Sort.AMOUNT, turned=True).address) == ("amount", "-amount")
    assert falls(Order(Sort.AMOUNT), _KEYS)
    assert not falls(Order(Sort.NAME), _KEYS)
