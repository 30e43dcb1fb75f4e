"""Pages of the trail, newest first, each row checked as it is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

from sqlalchemy import ColumnElement, Select, Table, and_, or_, select, true, tuple_
from sqlalchemy.orm import Session

from chassis.errors import InvalidArgument
from services.vault.audit.keyring import AuditKeys
from services.vault.audit.models import AuditChain, AuditRow
from services.vault.audit.rules import GENESIS, AuditRecord, Head, head_mac, row_mac, same_mac
from services.vault.audit.verify import record_of

_chains: Final = cast("Table", AuditChain.__table__)
_rows: Final = cast("Table", AuditRow.__table__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRow:
    """A row, and whether it is as it was written and follows the row before it."""

    record: AuditRecord
    intact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailPage:
    """Rows, newest first; `next` continues with older ones, empty at the end."""

    rows: Sequence[CheckedRow]
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainsState:
    """How many chains there are, and how many end elsewhere than their sealed head says."""

    chains: int
    broken: int


def rows_where(
    *,
    card_token_in: Select[str] | None = None,
    agent_id_in: Select[str] | None = None,
    agent_id: str = "",
    action: str = "",
    refused_only: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
) -> ColumnElement[bool]:
    """Rows for which all of this holds; `action` is an action's beginning, `until` is exclusive."""
    conditions: list[ColumnElement[bool]] = [true()]
    if card_token_in is not None:
        conditions.append(_rows.c.card_token.in_(card_token_in))
    if agent_id_in is not None:
        conditions.append(_rows.c.agent_id.in_(agent_id_in))
    if agent_id:
        conditions.append(_rows.c.agent_id == agent_id)
    if action:
        conditions.append(_rows.c.action.startswith(action, autoescape=True))
    if refused_only:
        conditions.append(_rows.c.result == "refused")
    if since is not None:
        conditions.append(_rows.c.at >= since)
    if until is not None:
        conditions.append(_rows.c.at < until)
    return and_(*conditions)


def read_page(
    session: Session, keys: AuditKeys, conditions: Sequence[ColumnElement[bool]], *, limit: int, after: str
) -> TrailPage:
    """The newest rows that fulfil the conditions (over `audit_rows`). Raises InvalidArgument for a strange `after`."""
    query = select(_rows).where(*conditions)
    if after:
        query = query.where(_older_than(after))
    query = query.order_by(_rows.c.at.desc(), _rows.c.chain_id.desc(), _rows.c.sequence.desc()).limit(limit + 1)
    records = [record_of(row) for row in session.execute(query)]
    shown = records[:limit]
    before = _macs_before(session, shown)
    checked = [CheckedRow(record=record, intact=_is_intact(keys, record, before)) for record in shown]
    return TrailPage(rows=checked, next=_position(shown[-1]) if len(records) > limit else "")


def chains_state(session: Session, keys: AuditKeys) -> ChainsState:
    """Compares each chain's sealed head with the row it ends at."""
    chains = session.execute(select(_chains)).all()
    broken = 0
    for chain in chains:
        last = session.execute(
            select(_rows.c.sequence, _rows.c.mac)
            .where(_rows.c.chain_id == chain.chain_id)
            .order_by(_rows.c.sequence.desc())
            .limit(1)
        ).first()
        end = (last.sequence, last.mac) if last else (0, GENESIS)
        head = Head(chain_id=chain.chain_id, sequence=chain.head_sequence, mac=chain.head_mac)
        key = _key(keys, chain.key_id)
        sealed = key is not None and same_mac(chain.head_seal, head_mac(key, head, chain.key_id))
        broken += not sealed or end != (head.sequence, head.mac)
    return ChainsState(chains=len(chains), broken=broken)


def _macs_before(session: Session, records: Sequence[AuditRecord]) -> dict[tuple[str, int], str]:
    """The MACs of the rows before these, by chain and number."""
    wanted = [(record.chain_id, record.sequence - 1) for record in records if record.sequence > 1]
    query = select(_rows.c.chain_id, _rows.c.sequence, _rows.c.mac).where(
        tuple_(_rows.c.chain_id, _rows.c.sequence).in_(wanted)
    )
    return {(row.chain_id, row.sequence): row.mac for row in session.execute(query)} if wanted else {}


def _is_intact(keys: AuditKeys, record: AuditRecord, before: dict[tuple[str, int], str]) -> bool:
    key = _key(keys, record.key_id)
    if key is None or not same_mac(record.mac, row_mac(key, record)):
        return False
    expected = GENESIS if record.sequence == 1 else before.get((record.chain_id, record.sequence - 1))
    return expected is not None and same_mac(record.prev_mac, expected)


def _key(keys: AuditKeys, key_id: str) -> bytes | None:
    try:
        return keys.key(key_id)
    except KeyError:
        return None


def _position(record: AuditRecord) -> str:
    return f"{record.at.astimezone(UTC).isoformat()}|{record.chain_id}|{record.sequence}"


def _older_than(position: str) -> ColumnElement[bool]:
    try:
        moment, chain_id, number = position.split("|")
        at, sequence = datetime.fromisoformat(moment), int(number)
    except ValueError:
        raise InvalidArgument("This page of the trail is not known. Start over.", field="after") from None
    if at.tzinfo is None:
        raise InvalidArgument("This page of the trail is not known. Start over.", field="after")
    same_moment = and_(
        _rows.c.at == at,
        or_(_rows.c.chain_id < chain_id, and_(_rows.c.chain_id == chain_id, _rows.c.sequence < sequence)),
    )
    return or_(_rows.c.at < at, same_moment)
