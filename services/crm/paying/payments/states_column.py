"""The state of a payment in its table, so that a process of an older release reads a state that it knows
(docs/decisions/0012-states-that-older-releases-read.md).

Two columns hold it: the former one, which every release reads, and the exact one, where the former can't say it. A
process of before changes the former alone; then the exact one is out of date, and counts no more.
"""

import operator
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_
from sqlalchemy.ext.hybrid import Comparator
from sqlalchemy.sql import operators

from services.crm.paying.payments.rules import FORMER, PaymentState


def written(state: str) -> tuple[str, str | None]:
    """What the two columns hold for a state."""
    exact = PaymentState(state)
    return (FORMER[exact].value, exact.value) if exact in FORMER else (exact.value, None)


def read(former: str, exact: str | None) -> str:
    """The state that the two columns say."""
    return exact if exact is not None and FORMER[PaymentState(exact)] == former else former


class StateIs(Comparator[str]):
    """The state in a query. The former column is asked for a few values first, so that its indexes serve."""

    def __init__(self, former: ColumnElement[str], exact: ColumnElement[str | None]) -> None:
        super().__init__(former)
        self._former, self._exact = former, exact

    def __clause_element__(self) -> ColumnElement[str]:
        newer = [(and_(self._former == old, self._exact == new), new.value) for new, old in FORMER.items()]
        return case(*newer, else_=self._former)

    def operate(self, op: Any, *other: Any, **_: Any) -> Any:  # Any: as SQLAlchemy's own
        if op is operator.eq:
            return self._among(other)
        if op is operators.in_op:
            return self._among(other[0])
        raise NotImplementedError(f"nobody asked for a payment's state by {op.__name__} yet")

    def _among(self, wanted: Iterable[str]) -> ColumnElement[bool]:
        states = {PaymentState(each) for each in wanted}
        conditions: list[ColumnElement[bool]] = [self._former.in_(sorted({written(each)[0] for each in states}))]
        for old in sorted(set(FORMER.values())):
            newer = {each for each, former in FORMER.items() if former is old}
            if old in states and newer - states:
                others = or_(self._exact.is_(None), self._exact.not_in(sorted(newer - states)))
                conditions.append(or_(self._former != old, others))
            elif old not in states and newer & states:
                conditions.append(or_(self._former != old, self._exact.in_(sorted(newer & states))))
        return and_(*conditions)
