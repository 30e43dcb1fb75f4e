"""Use cases of the suppliers' directory, which is the whole agency's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_id
from services.crm.core.actor import Actor
from services.crm.core.errors import ChangedMeanwhile
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.sales.suppliers.models import SupplierRow
from services.crm.sales.suppliers.rules import SupplierData, key_of, packed, unpacked

EXPORT_LIMIT = 10_000
# As many as a browser offers without getting slow.
_OFFERED = 500
_SAME_NAME = "Your agency has a supplier of this name already. Change that one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier:
    """A supplier as pages see one."""

    id: str
    data: SupplierData
    updated_at: datetime
    version: int

    @property
    def name(self) -> str:
        return self.data.name


class SupplierSort(StrEnum):
    """What the directory can be ordered by."""

    NAME = "name"
    COMMISSION = "commission"


BY_NAME = Order(SupplierSort.NAME)
SUPPLIER_KEYS: Keys[SupplierSort] = {
    SupplierSort.NAME: Key(SupplierRow.name_key),
    SupplierSort.COMMISSION: Key(SupplierRow.commission_points, falling=True, gaps=True),
}


class Suppliers:
    """The suppliers room's use cases."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def list_page(self, actor: Actor, text: str, number: int, order: Order[SupplierSort] = BY_NAME) -> Page[Supplier]:
        """A page of the directory."""
        query = in_order(_query(actor, text), order, SUPPLIER_KEYS, SupplierRow.id)
        with self._database.read() as session:
            total = bounded_count(session, query.with_only_columns(SupplierRow.id).order_by(None))
            rows = session.scalars(query.limit(PAGE_SIZE).offset(offset(number)))
            return Page(items=[_supplier(row) for row in rows], total=total, number=number)

    def export(self, actor: Actor, text: str, order: Order[SupplierSort] = BY_NAME) -> list[Supplier]:
        """Everything that the list shows (at most EXPORT_LIMIT)."""
        query = in_order(_query(actor, text), order, SUPPLIER_KEYS, SupplierRow.id)
        with self._database.read() as session:
            return [_supplier(row) for row in session.scalars(query.limit(EXPORT_LIMIT))]

    def search(self, actor: Actor, text: str, limit: int) -> list[Supplier]:
        """The first few whose name has every word typed."""
        if not key_of(text):
            return []
        with self._database.read() as session:
            query = in_order(_query(actor, text), BY_NAME, SUPPLIER_KEYS, SupplierRow.id)
            return [_supplier(row) for row in session.scalars(query.limit(limit))]

    def names(self, actor: Actor) -> Sequence[str]:
        """What is offered while one types a segment's supplier."""
        query = (
            select(SupplierRow.name)
            .where(SupplierRow.agency_id == actor.agency_id)
            .order_by(SupplierRow.name_key)
            .limit(_OFFERED)
        )
        with self._database.read() as session:
            return session.scalars(query).all()

    def of_names(self, actor: Actor, names: Sequence[str]) -> dict[str, Supplier]:
        """What the directory knows of suppliers that are named in words: by the names as they were given."""
        keys = {name: key_of(name) for name in names if name}
        if not keys:
            return {}
        query = select(SupplierRow).where(
            SupplierRow.agency_id == actor.agency_id, SupplierRow.name_key.in_(set(keys.values()))
        )
        with self._database.read() as session:
            known = {row.name_key: _supplier(row) for row in session.scalars(query)}
        return {name: known[key] for name, key in keys.items() if key in known}

    def get(self, actor: Actor, supplier_id: str) -> Supplier:
        """Raises NotFound."""
        with self._database.read() as session:
            return _supplier(_row(session, actor, supplier_id))

    def add(self, actor: Actor, data: SupplierData) -> Supplier:
        """Raises InvalidArgument when the agency has one of this name."""
        now = self._clock.now()
        row = SupplierRow(id=new_id("supplier"), agency_id=actor.agency_id, created_at=now)
        _fill(row, data, now)
        try:
            with self._database.transaction() as session:
                session.add(row)
                session.flush()
                return _supplier(row)
        except IntegrityError:
            raise InvalidArgument(_SAME_NAME, field="name") from None

    def change(self, actor: Actor, supplier_id: str, data: SupplierData, *, version: int) -> Supplier:
        """Raises NotFound, ChangedMeanwhile, or InvalidArgument when another has this name."""
        try:
            with self._database.transaction() as session:
                row = _row(session, actor, supplier_id)
                if row.version != version:
                    raise ChangedMeanwhile(version=row.version)
                _fill(row, data, self._clock.now())
                session.flush()
                return _supplier(row)
        except IntegrityError:
            raise InvalidArgument(_SAME_NAME, field="name") from None
        except StaleDataError:
            raise ChangedMeanwhile(version=self.get(actor, supplier_id).version) from None

    def remove(self, actor: Actor, supplier_id: str) -> Supplier:
        """Takes it out of the directory; segments and payments keep its name. Raises NotFound."""
        with self._database.transaction() as session:
            row = _row(session, actor, supplier_id)
            removed = _supplier(row)
            session.delete(row)
            return removed


def _query(actor: Actor, text: str) -> Select[SupplierRow]:
    query = select(SupplierRow).where(SupplierRow.agency_id == actor.agency_id)
    for word in key_of(text).split():
        query = query.where(SupplierRow.name_key.contains(word, autoescape=True))
    return query


def _row(session: Session, actor: Actor, supplier_id: str) -> SupplierRow:
    row = session.get(SupplierRow, supplier_id)
    if row is None or row.agency_id != actor.agency_id:
        raise NotFound("There is no such supplier in your agency's directory.")
    return row


def _fill(row: SupplierRow, data: SupplierData, now: datetime) -> None:
    key = key_of(data.name)
    if not key:
        raise InvalidArgument("Enter the supplier's name in letters or digits.", field="name")
    row.name, row.name_key, row.phone, row.payment_page = data.name, key, data.phone, data.payment_page
    row.brands, row.commission_points, row.note = packed(data.brands), data.commission_points, data.note
    row.updated_at = now


def _supplier(row: SupplierRow) -> Supplier:
    data = SupplierData(
        name=row.name,
        phone=row.phone,
        payment_page=row.payment_page,
        brands=unpacked(row.brands),
        commission_points=row.commission_points,
        note=row.note,
    )
    return Supplier(id=row.id, data=data, updated_at=row.updated_at, version=row.version)
