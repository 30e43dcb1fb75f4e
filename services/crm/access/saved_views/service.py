"""Use cases of saved views: keep one, list an agent's, call it something else, drop it. Each is its agent's alone."""

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_id
from chassis.typed.names import title_key
from services.crm.access.saved_views.models import SavedViewRow
from services.crm.access.saved_views.rules import LONGEST_NAME, SavedList, SavedView
from services.crm.access.saved_views.state import state_of
from services.crm.core.actor import Actor

__all__ = ["LONGEST_NAME", "SavedList", "SavedView", "SavedViews"]

# Of one list: more are no shortcut any more.
_MOST = 20
_TAKEN = "You have a view of this name already. Choose another name, or delete that one."


class SavedViews:
    """The room's use cases."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def of(self, actor: Actor, which: SavedList) -> list[SavedView]:
        """The actor's own views of a list, by name."""
        query = select(SavedViewRow).where(
            SavedViewRow.agent_id == actor.agent_id, SavedViewRow.list_name == which.value
        )
        with self._database.read() as session:
            found = [_view(row) for row in session.scalars(query)]
        return sorted(found, key=lambda view: (title_key(view.name), view.id))

    def get(self, actor: Actor, view_id: str) -> SavedView:
        """Raises NotFound for what is not the actor's own."""
        with self._database.read() as session:
            return _view(_own(session, actor, view_id))

    def save(self, actor: Actor, which: SavedList, name: str, query: str) -> SavedView:
        """Keeps a list's state under a name. Raises InvalidArgument where there is none, the name is taken, or there
        are as many as are useful."""
        name, state = _name(name), state_of(which, query)
        if not state:
            raise InvalidArgument("Choose a filter, a search or an order first: there is nothing to save yet.")
        row = SavedViewRow(
            id=new_id("view"),
            agency_id=actor.agency_id,
            agent_id=actor.agent_id,
            list_name=which.value,
            name=name,
            state=state,
            created_at=self._clock.now(),
        )
        counted = select(func.count()).where(
            SavedViewRow.agent_id == actor.agent_id, SavedViewRow.list_name == which.value
        )
        with self._database.transaction() as session:
            if (session.scalar(counted) or 0) >= _MOST:
                raise InvalidArgument(f"You have {_MOST} views of this list. Delete one that you no longer use.")
            session.add(row)
            _flush(session)
            return _view(row)

    def rename(self, actor: Actor, view_id: str, name: str) -> SavedView:
        """Raises NotFound, or InvalidArgument for a name that is taken or none."""
        name = _name(name)
        with self._database.transaction() as session:
            row = _own(session, actor, view_id)
            row.name = name
            _flush(session)
            return _view(row)

    def remove(self, actor: Actor, view_id: str) -> SavedView:
        """Returns the one that is no more. Raises NotFound."""
        with self._database.transaction() as session:
            row = _own(session, actor, view_id)
            session.delete(row)
            return _view(row)


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME:
        raise InvalidArgument(f"Give it a name of up to {LONGEST_NAME} letters.", field="name")
    return name


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise InvalidArgument(_TAKEN, field="name") from error


def _own(session: Session, actor: Actor, view_id: str) -> SavedViewRow:
    row = session.get(SavedViewRow, view_id)
    if row is None or row.agent_id != actor.agent_id:
        raise NotFound("There is no such view among yours.")
    return row


def _view(row: SavedViewRow) -> SavedView:
    return SavedView(id=row.id, of=SavedList(row.list_name), name=row.name, state=row.state)
