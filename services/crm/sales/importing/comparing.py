"""Use cases of rows that look like somebody: shown page by page, decided one by one or all alike at once, and what
became of them."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Select, case, delete, func, select, update
from sqlalchemy.orm import Session

from chassis.db import Database
from chassis.errors import InvalidArgument
from chassis.typed.names import full_name
from services.crm.core.actor import Actor
from services.crm.core.paging import Page, bounded_count, offset
from services.crm.sales.clients.rules import ClientData, ProfileField
from services.crm.sales.clients.service import Clients
from services.crm.sales.importing.matching import Likeness
from services.crm.sales.importing.models import ClientImportItemRow, ClientImportPairRow
from services.crm.sales.importing.pairs import Alike, Decided, Decision, Pair, Sides, differing, row_choices
from services.crm.sales.importing.rules import ImportState, pack_client, unpack_client
from services.crm.sales.importing.service import own_import
from services.crm.sales.importing.sorting import Likely
from services.crm.sales.merging.rules import Side

PAIRS_ON_A_PAGE = 20
_ALIKE_SHOWN = 12
_NAMED = 50
_Row = ClientImportPairRow


class Comparisons:
    """What an agent does with such rows; they are their own, as the import is."""

    def __init__(self, *, database: Database, clients: Clients) -> None:
        self._database = database
        self._clients = clients

    def page(self, actor: Actor, import_id: str, number: int, differs: str | None = None) -> Page[Pair]:
        """Those that differ in these fields, or all, in the file's order. Raises NotFound."""
        query = _pairs(import_id, differs)
        with self._database.read() as session:
            own_import(session, actor, import_id)
            total = bounded_count(session, query.with_only_columns(_Row.place))
            page = query.order_by(_Row.place).limit(PAIRS_ON_A_PAGE).offset(offset(number, PAIRS_ON_A_PAGE))
            rows = session.scalars(page).all()
            known = self._clients.load_many(session, actor.agency_id, {row.client_id for row in rows})
            mine = {each.id: each.data for each in known.values() if actor.owns(each.agent_id)}
            pairs = [_pair(row, mine.get(row.client_id)) for row in rows]
            return Page(items=pairs, total=total, number=number, size=PAIRS_ON_A_PAGE)

    def alike(self, actor: Actor, import_id: str) -> list[Alike]:
        """How many rows differ in the same fields, the most first. Raises NotFound."""
        decided = func.sum(case((_Row.decision != "", 1), else_=0))
        query = (
            select(_Row.differs, func.count(), decided)
            .where(_Row.import_id == import_id)
            .group_by(_Row.differs)
            .order_by(func.count().desc(), _Row.differs)
        )
        with self._database.read() as session:
            own_import(session, actor, import_id)
            found = session.execute(query.limit(_ALIKE_SHOWN))
            return [Alike(differs=differs, rows=rows, decided=int(done)) for differs, rows, done in found]

    def decide(self, actor: Actor, import_id: str, decisions: Mapping[int, tuple[Decision | None, Sides]]) -> None:
        """Keeps what was chosen for rows by their places; None = what is chosen for all, and the sides wait. Raises
        NotFound, or InvalidArgument once the rows are being brought in."""
        with self._database.transaction() as session:
            _still_open(session, actor, import_id)
            query = _pairs(import_id, None).where(_Row.place.in_(decisions))
            for row in session.scalars(query.with_for_update()):
                decision, sides = decisions[row.place]
                row.decision = decision or ""
                row.sides = {field.value: side.value for field, side in sides.items()}

    def decide_all(
        self, actor: Actor, import_id: str, differs: str | None, decision: Decision | None, *, take_files: bool
    ) -> int:
        """One decision for every row that differs in these fields, or for all; an update takes what the file says
        (notes one after the other), or what is suggested. Returns how many rows. Raises as decide."""
        with self._database.transaction() as session:
            _still_open(session, actor, import_id)
            which = [_Row.import_id == import_id] + ([] if differs is None else [_Row.differs == differs])
            count = 0
            for fields, rows in session.execute(
                select(_Row.differs, func.count()).where(*which).group_by(_Row.differs)
            ).all():
                sides = _files_sides(fields) if decision is Decision.UPDATE and take_files else {}
                values = {"decision": decision or "", "sides": sides}
                session.execute(update(_Row).where(*which, _Row.differs == fields).values(values))
                count += rows
            return count

    def kept_by_undo(self, actor: Actor, import_id: str) -> list[tuple[str, str]]:
        """What an undo left since somebody had changed it: clients' ids, each with the fields (at most _NAMED)."""
        query = select(ClientImportItemRow.client_id, ClientImportItemRow.kept_fields).where(
            ClientImportItemRow.import_id == import_id, ClientImportItemRow.kept_fields != ""
        )
        with self._database.read() as session:
            own_import(session, actor, import_id)
            rows = session.execute(query.order_by(ClientImportItemRow.client_id).limit(_NAMED))
            return [(client_id, fields) for client_id, fields in rows]


def note_pairs(
    session: Session, import_id: str, alike: Sequence[Likely], known: Mapping[str, ClientData], brought: Collection[str]
) -> None:
    """Keeps the rows that look like somebody, within the caller's transaction. `known` has whom they look like by id;
    `brought` are those among them that are rows of the same file."""
    for each in alike:
        other = known.get(each.match.client_id)
        if other is None:
            continue
        in_file = each.match.client_id in brought
        session.add(
            _Row(
                import_id=import_id,
                place=each.place,
                number=each.number,
                name=full_name(each.data.first_name, each.data.last_name),
                client_id=each.match.client_id,
                likeness=each.match.likeness.value,
                data=pack_client(each.data),
                earlier=pack_client(other) if in_file else {},
                differs=",".join(differing(other, each.data)),
                decision="",
                sides={},
                outcome="",
            )
        )
    session.flush()


def forget_pairs(session: Session, import_id: str) -> None:
    """Begins anew: another look at the file finds them again."""
    session.execute(delete(_Row).where(_Row.import_id == import_id))


def decided_rows(session: Session, import_id: str) -> dict[int, Decided]:
    """What was decided, by the rows' places."""
    query = select(_Row.place, _Row.client_id, _Row.decision, _Row.sides).where(
        _Row.import_id == import_id, _Row.decision != ""
    )
    return {
        place: Decided(client_id=client_id, decision=Decision(decision), sides=_sides(sides))
        for place, client_id, decision, sides in session.execute(query)
    }


def note_outcomes(session: Session, import_id: str, outcomes: Sequence[tuple[int, Decision]]) -> None:
    """What became of such rows."""
    for decision in Decision:
        places = [place for place, outcome in outcomes if outcome is decision]
        if places:
            which = (_Row.import_id == import_id, _Row.place.in_(places))
            session.execute(update(_Row).where(*which).values(outcome=decision.value))


def _still_open(session: Session, actor: Actor, import_id: str) -> None:
    row = own_import(session, actor, import_id)
    session.refresh(row, with_for_update=True)
    if row.state != ImportState.CHECKED:
        raise InvalidArgument("This import has gone on meanwhile. What you chose before that counts.")


def _pairs(import_id: str, differs: str | None) -> Select[ClientImportPairRow]:
    query = select(_Row).where(_Row.import_id == import_id)
    return query if differs is None else query.where(_Row.differs == differs)


def _pair(row: ClientImportPairRow, mine: ClientData | None) -> Pair:
    known = unpack_client(row.earlier) if row.earlier else mine
    choices = row_choices(known, unpack_client(row.data)) if known is not None and row.data else ()
    return Pair(
        place=row.place,
        number=row.number,
        name=row.name,
        client_id=row.client_id,
        likeness=Likeness(row.likeness),
        in_file=bool(row.earlier),
        known=known,
        choices=choices,
        decision=Decision(row.decision) if row.decision else None,
        sides=_sides(row.sides),
        outcome=Decision(row.outcome) if row.outcome else None,
    )


def _files_sides(fields: str) -> dict[str, str]:
    return {
        field: (Side.BOTH if field == ProfileField.NOTES else Side.OTHER).value for field in fields.split(",") if field
    }


def _sides(kept: Mapping[str, str]) -> Sides:
    return {ProfileField(field): Side(side) for field, side in kept.items()}
