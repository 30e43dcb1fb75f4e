"""How what the clients room keeps follows when two profiles are merged (C4)."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from chassis.db.references import Reference, affected
from chassis.typed.names import fold, sort_key
from services.crm.sales.clients.models import ClientChangeRow, ClientRow, ClientWordRow, FamilyMemberRow, OccasionRow


def _follow_family(session: Session, kept_id: str, merged_id: str) -> int:
    """Both families become one; who stands in both is kept once, with the birthday if either profile knows it."""
    rows = session.scalars(
        select(FamilyMemberRow).where(FamilyMemberRow.client_id.in_((kept_id, merged_id))).order_by(FamilyMemberRow.id)
    ).all()
    known = {_who(row): row for row in rows if row.client_id == kept_id}
    followed = 0
    for row in rows:
        if row.client_id != merged_id:
            continue
        twin = known.get(_who(row))
        if twin is not None and (twin.born_on == row.born_on or None in (twin.born_on, row.born_on)):
            if twin.born_on is None:
                twin.born_on, twin.born_month_day = row.born_on, row.born_month_day
            session.delete(row)
        else:
            row.client_id = kept_id
        followed += 1
    session.flush()
    return followed


def _follow_occasions(session: Session, kept_id: str, merged_id: str) -> int:
    """Both lists become one; what stands in both is kept once, with the year if either profile knows it."""
    rows = session.scalars(
        select(OccasionRow).where(OccasionRow.client_id.in_((kept_id, merged_id))).order_by(OccasionRow.id)
    ).all()
    known = {(fold(row.label), row.month_day): row for row in rows if row.client_id == kept_id}
    followed = 0
    for row in rows:
        if row.client_id != merged_id:
            continue
        twin = known.get((fold(row.label), row.month_day))
        if twin is not None and (twin.first_on == row.first_on or not (twin.year_known and row.year_known)):
            if not twin.year_known:
                twin.first_on, twin.year_known = row.first_on, row.year_known
            session.delete(row)
        else:
            row.client_id = kept_id
        followed += 1
    session.flush()
    return followed


def _follow_changes(session: Session, kept_id: str, merged_id: str) -> int:
    """Of two changes of the same field the newer one is remembered."""
    rows = session.execute(
        select(ClientChangeRow.client_id, ClientChangeRow.field, ClientChangeRow.changed_at).where(
            ClientChangeRow.client_id.in_((kept_id, merged_id))
        )
    ).all()
    ours = {row.field: row.changed_at for row in rows if row.client_id == kept_id}
    followed = 0
    for row in rows:
        if row.client_id != merged_id:
            continue
        loser = merged_id if ours.get(row.field, row.changed_at) > row.changed_at else kept_id
        session.execute(
            delete(ClientChangeRow).where(ClientChangeRow.client_id == loser, ClientChangeRow.field == row.field)
        )
        session.expire_all()
        move = update(ClientChangeRow).where(ClientChangeRow.client_id == merged_id, ClientChangeRow.field == row.field)
        followed += affected(session, move.values(client_id=kept_id))
    return followed


def _forget_words(session: Session, _: str, merged_id: str) -> int:
    """Nobody finds a merged profile any more; the kept one has its words from what it says."""
    return affected(session, delete(ClientWordRow).where(ClientWordRow.client_id == merged_id))


def _who(row: FamilyMemberRow) -> str:
    return sort_key(row.first_name, row.last_name)


CLIENT_REFERENCES = (
    Reference(column=FamilyMemberRow.client_id, follow=_follow_family, words="family members"),
    Reference(column=OccasionRow.client_id, follow=_follow_occasions, words="occasions"),
    Reference(column=ClientChangeRow.client_id, follow=_follow_changes),
    Reference(column=ClientWordRow.client_id, follow=_forget_words),
    # A profile that was merged into the merged one leads to the kept one now.
    Reference(column=ClientRow.merged_into_id),
)
