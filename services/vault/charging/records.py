"""Reading and moving charges and refunds. Every change of state is one conditional UPDATE built from rules.py."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from sqlalchemy import CursorResult, Table, Update, and_, or_, select, update
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.ids import derived_id
from services.vault.charging.gateways.port import Outcome, RefundOutcome
from services.vault.charging.models import ChargeRow, GatewayAccountRow, MandateRow, RefundRow
from services.vault.charging.rules import (
    LOOK_AGAIN_EVERY,
    MAY_COME_BACK_FOR,
    OPEN,
    SETTLE_AFTER,
    STANDING,
    ChargeState,
    RefundState,
    ask_again_in,
    refund_sources,
    sources,
)

Row = TypeVar("Row", ChargeRow, RefundRow)

_CHARGES: Final = cast("Table", ChargeRow.__table__)
_REFUNDS: Final = cast("Table", RefundRow.__table__)
_MANDATES: Final = cast("Table", MandateRow.__table__)
_SETTLED: Final = frozenset({ChargeState.SUCCEEDED, ChargeState.DECLINED, ChargeState.FAILED, ChargeState.VOIDED})
_OPEN_REFUNDS: Final = (RefundState.ASKING, RefundState.PENDING)


def charge_of(session: Session, agency_id: str, charge_id: str) -> ChargeRow:
    """An agency's charge. Raises NotFound."""
    row = session.get(ChargeRow, charge_id, populate_existing=True)
    if row is None or row.agency_id != agency_id:
        raise NotFound("There is no such charge.")
    return _apart(session, [row])[0]


def charge_by_id(session: Session, charge_id: str) -> ChargeRow:
    """The charge of a row that names it."""
    return _apart(session, [session.get_one(ChargeRow, charge_id)])[0]


def charges_of(session: Session, agency_id: str, payment_id: str) -> Sequence[ChargeRow]:
    """A payment's charges, newest first."""
    query = select(ChargeRow).where(ChargeRow.agency_id == agency_id, ChargeRow.payment_id == payment_id)
    return _apart(session, session.scalars(query.order_by(ChargeRow.made_at.desc(), ChargeRow.id.desc())))


def standing_charge(session: Session, agency_id: str, payment_id: str) -> ChargeRow | None:
    """The charge that stands in the way of another one for the payment."""
    query = select(ChargeRow).where(
        ChargeRow.agency_id == agency_id, ChargeRow.payment_id == payment_id, ChargeRow.state.in_(tuple(STANDING))
    )
    return next(iter(_apart(session, session.scalars(query))), None)


def has_open_charges(session: Session, agency_id: str) -> bool:
    """Whether the agency's gateway may still be asked about a charge."""
    query = select(ChargeRow.id).where(ChargeRow.agency_id == agency_id, ChargeRow.state.in_(tuple(OPEN))).limit(1)
    return session.scalar(query) is not None


def refunds_of(session: Session, charge_id: str) -> Sequence[RefundRow]:
    """A charge's refunds, oldest first."""
    query = select(RefundRow).where(RefundRow.charge_id == charge_id)
    return _apart(session, session.scalars(query.order_by(RefundRow.made_at, RefundRow.id)))


def begin_asking(session: Session, charge_id: str, reference: str, now: datetime) -> bool:
    """intent → asking: from here on the gateway may have charged. False when somebody else moved it."""
    statement = _move(charge_id, ChargeState.ASKING).values(
        state=ChargeState.ASKING, reference=reference, ask_at=now + SETTLE_AFTER
    )
    return _moved(session, statement)


def settle_charge(
    session: Session, charge_id: str, outcome: Outcome, now: datetime, *, still: ChargeState | None = None
) -> bool:
    """Records what became of a charge. False when that is on record already.

    `still`: only while the charge stands so. Whoever concludes that nothing can have happened because no card had left
    yet says so: meanwhile the card may have left, and then only the gateway's books know.
    """
    values: dict[str, Any] = {  # Any: column values
        "state": outcome.state,
        "reference": outcome.reference,
        "reason_code": outcome.code,
        "client_url": outcome.client_url,
    }
    if outcome.state in _SETTLED:
        values |= {"settled_at": now, "client_url": ""}
    statement = _move(charge_id, outcome.state)
    if still is not None:
        statement = statement.where(_CHARGES.c.state == still)
    if not _moved(session, statement.values(**values)):
        return False
    if outcome.state is ChargeState.SUCCEEDED and outcome.mandate:
        _keep_mandate(session, charge_id, outcome.mandate, now)
    return True


def _keep_mandate(session: Session, charge_id: str, reference: str, now: datetime) -> None:
    charge = charge_by_id(session, charge_id)
    if not charge.keeps_card:
        return
    mandate_id = derived_id("mdt", charge_id)
    session.add(
        MandateRow(
            id=mandate_id,
            agency_id=charge.agency_id,
            agent_id=charge.agent_id,
            card_token=charge.card_token,
            charge_id=charge.id,
            gateway=charge.gateway,
            live=charge.live,
            account=charge.account,
            reference=reference,
            made_at=now,
        )
    )
    session.execute(update(_CHARGES).where(_CHARGES.c.id == charge_id).values(mandate_id=mandate_id))


def mandate_of(session: Session, agency_id: str, mandate_id: str) -> MandateRow:
    """An agency's mandate. Raises NotFound."""
    row = session.get(MandateRow, mandate_id, populate_existing=True)
    if row is None or row.agency_id != agency_id:
        raise NotFound("There is no such standing card at the gateway.")
    session.expunge(row)
    return row


def end_mandate(session: Session, mandate_id: str, now: datetime) -> bool:
    """Says that the gateway forgot the card. False when that is on record."""
    return _moved(
        session,
        update(_MANDATES).where(_MANDATES.c.id == mandate_id, _MANDATES.c.ended_at.is_(None)).values(ended_at=now),
    )


def kept_cards(session: Session, agency_id: str) -> Sequence[MandateRow]:
    """The agency's cards that gateways keep."""
    query = select(MandateRow).where(MandateRow.agency_id == agency_id, MandateRow.ended_at.is_(None))
    return session.scalars(query.order_by(MandateRow.made_at.desc(), MandateRow.id)).all()


def open_refunds(session: Session, agency_id: str) -> Sequence[ChargeRow]:
    """The charges, one for each refund of the agency's of which it is not known yet that it arrived."""
    query = select(ChargeRow).join(RefundRow, RefundRow.charge_id == ChargeRow.id)
    return session.scalars(query.where(ChargeRow.agency_id == agency_id, RefundRow.state.in_(_OPEN_REFUNDS))).all()


def name_account(session: Session, account: GatewayAccountRow) -> None:
    """The gateway has told whose the key is: so is what was charged by it so far."""
    for table in (_CHARGES, _MANDATES):
        session.execute(
            update(table)
            .where(
                table.c.agency_id == account.agency_id,
                table.c.gateway == account.gateway,
                table.c.live == account.live,
                table.c.made_at >= account.set_at,
                table.c.account == "",
            )
            .values(account=account.account)
        )


def postpone(session: Session, row: ChargeRow, now: datetime) -> None:
    """Nothing new was learned: the poller asks again later."""
    session.execute(
        update(_CHARGES)
        .where(_CHARGES.c.id == row.id)
        .values(asked=row.asked + 1, ask_at=now + ask_again_in(row.asked))
    )


def due_charges(session: Session, now: datetime, limit: int) -> Sequence[ChargeRow]:
    """Open charges whose time to be asked about has come."""
    query = select(ChargeRow).where(ChargeRow.state.in_(tuple(OPEN)), ChargeRow.ask_at <= now)
    return _apart(session, session.scalars(query.order_by(ChargeRow.ask_at).limit(limit)))


def reserve_refund(session: Session, charge_id: str, amount_minor: int) -> bool:
    """Sets an amount aside for a refund. False when less than that is left: parallel clicks never give back more."""
    return _moved(
        session,
        update(_CHARGES)
        .where(
            _CHARGES.c.id == charge_id,
            _CHARGES.c.state == ChargeState.SUCCEEDED,
            _CHARGES.c.refunded_minor + amount_minor <= _CHARGES.c.amount_minor,
        )
        .values(refunded_minor=_CHARGES.c.refunded_minor + amount_minor),
    )


def settle_refund(session: Session, refund: RefundRow, outcome: RefundOutcome, now: datetime) -> bool:
    """Records what became of a refund; the amount of one that failed is free again. False when it is on record."""
    done = outcome.state in (RefundState.SUCCEEDED, RefundState.FAILED)
    statement = (
        update(_REFUNDS)
        .where(_REFUNDS.c.id == refund.id, _REFUNDS.c.state.in_(refund_sources(outcome.state)))
        .values(
            state=outcome.state,
            reference=outcome.reference or refund.reference,
            reason_code=outcome.code,
            settled_at=now if done else None,
            asked=refund.asked + 1,
            ask_at=now + (LOOK_AGAIN_EVERY if done else ask_again_in(refund.asked)),
        )
    )
    if not _moved(session, statement):
        return False
    if outcome.state is RefundState.FAILED:
        session.execute(
            update(_CHARGES)
            .where(_CHARGES.c.id == refund.charge_id)
            .values(refunded_minor=_CHARGES.c.refunded_minor - refund.amount_minor)
        )
    return True


def postpone_refund(session: Session, refund: RefundRow, now: datetime) -> None:
    """Nothing new was learned about a refund."""
    session.execute(
        update(_REFUNDS)
        .where(_REFUNDS.c.id == refund.id)
        .values(asked=refund.asked + 1, ask_at=now + ask_again_in(refund.asked))
    )


def look_tomorrow(session: Session, refund: RefundRow, now: datetime) -> None:
    """A refund that left was looked at."""
    session.execute(update(_REFUNDS).where(_REFUNDS.c.id == refund.id).values(ask_at=now + LOOK_AGAIN_EVERY))


def due_refunds(session: Session, now: datetime, limit: int) -> Sequence[RefundRow]:
    """Refunds that are not settled, or may still come back, and whose time to be asked about has come."""
    may_come_back = and_(RefundRow.state == RefundState.SUCCEEDED, RefundRow.made_at > now - MAY_COME_BACK_FOR)
    query = select(RefundRow).where(or_(RefundRow.state.in_(_OPEN_REFUNDS), may_come_back), RefundRow.ask_at <= now)
    return _apart(session, session.scalars(query.order_by(RefundRow.ask_at).limit(limit)))


def named_charges(session: Session, agency_id: str, references: frozenset[str]) -> Sequence[ChargeRow]:
    """An agency's charges among these, by the gateway's ids or ours, or by those of their refunds."""
    of_refunds = select(RefundRow.charge_id).where(RefundRow.reference.in_(references))
    named = or_(ChargeRow.reference.in_(references), ChargeRow.id.in_(references), ChargeRow.id.in_(of_refunds))
    return _apart(session, session.scalars(select(ChargeRow).where(ChargeRow.agency_id == agency_id, named)))


def known_request(session: Session, request_hash: bytes) -> ChargeRow | RefundRow | None:
    """The charge or refund that the same call asked for before."""
    charges = _apart(session, session.scalars(select(ChargeRow).where(ChargeRow.request_hash == request_hash)))
    refunds = _apart(session, session.scalars(select(RefundRow).where(RefundRow.request_hash == request_hash)))
    found: list[ChargeRow | RefundRow] = [*charges, *refunds]
    return found[0] if found else None


def _apart(session: Session, rows: Iterable[Row]) -> list[Row]:
    """Rows as they are now, for use after the transaction: between them and a change stands a conditional UPDATE."""
    found = list(rows)
    for row in found:
        session.expunge(row)
    return found


def _move(charge_id: str, target: ChargeState) -> Update:
    return update(_CHARGES).where(_CHARGES.c.id == charge_id, _CHARGES.c.state.in_(sources(target)))


def _moved(session: Session, statement: Update) -> bool:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount == 1
