"""Use cases of tasks: add one, change or remove it, tick it off, undo that."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Row, Select, or_, select, union_all
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import AsText, Database
from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id
from services.crm.core.actor import Actor
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.core.visibility import visible_to
from services.crm.sales.clients.models import ClientRow
from services.crm.sales.clients.service import ClientDetail, Clients
from services.crm.sales.tasks.models import TaskRow

LONGEST_TITLE = 200
SHOWN = 12
EXPORT_LIMIT = 10_000
_DONE_SHOWN = 5
_OF_CLIENT = 100
_JUST_NOW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do for a client."""

    id: str
    client_id: str
    client_name: str
    title: str
    due_on: date | None
    done_at: datetime | None

    def is_overdue(self, today: date) -> bool:
        return self.done_at is None and self.due_on is not None and self.due_on < today


class TaskState(StrEnum):
    """Which tasks a list shows."""

    OPEN = "open"
    OVERDUE = "overdue"
    DONE = "done"


class TaskSort(StrEnum):
    """What a list of tasks can be ordered by."""

    DUE = "due"
    TASK = "task"
    CLIENT = "client"
    DONE = "done"


TASK_KEYS: Keys[TaskSort] = {
    TaskSort.DUE: Key(TaskRow.due_on, TaskRow.created_at, gaps=True),
    TaskSort.TASK: Key(AsText(TaskRow.title), TaskRow.due_on),
    TaskSort.CLIENT: Key(ClientRow.sort_key, TaskRow.due_on),
    TaskSort.DONE: Key(TaskRow.done_at, falling=True),
}


def usual_order(state: TaskState) -> Order[TaskSort]:
    """Those to be done by their day; done ones by when they were done, the latest first."""
    return Order(TaskSort.DONE if state is TaskState.DONE else TaskSort.DUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """What a list of tasks shows. `text` finds what is to be done and for whom; `today` decides what is overdue; in
    its usual order where none is named."""

    today: date
    text: str = ""
    state: TaskState = TaskState.OPEN
    order: Order[TaskSort] | None = None


_Rows = Select[TaskRow, str, str]


class Tasks:
    """The tasks room's use cases."""

    def __init__(self, *, database: Database, clock: Clock, clients: Clients) -> None:
        self._database = database
        self._clock = clock
        self._clients = clients

    def add(self, actor: Actor, client_id: str, title: str, due_on: date | None) -> Task:
        """Raises NotFound, PermissionDenied, or InvalidArgument for a task without words."""
        title = _title(title)
        with self._database.transaction() as session:
            client = self._clients.load(session, actor, client_id)
            if not actor.owns(client.agent_id):
                raise PermissionDenied("Only this client's own agent can add tasks.")
            row = TaskRow(
                id=new_id("task"),
                agency_id=client.agency_id,
                agent_id=client.agent_id,
                client_id=client.id,
                title=title,
                due_on=due_on,
                created_at=self._clock.now(),
            )
            session.add(row)
            session.flush()
            return _task(row, client.name)

    def give(self, session: Session, client: ClientDetail, title: str) -> None:
        """Puts something to do today before the client's agent, in the caller's transaction."""
        now = self._clock.now()
        row = TaskRow(
            id=new_id("task"),
            agency_id=client.agency_id,
            agent_id=client.agent_id,
            client_id=client.id,
            title=title[:LONGEST_TITLE],
            created_at=now,
        )
        session.add(row)

    def get_own(self, actor: Actor, task_id: str) -> Task:
        """Raises NotFound, or PermissionDenied when an admin looks at somebody else's task."""
        with self._database.read() as session:
            return _task(*_own(session, actor, task_id))

    def change(self, actor: Actor, task_id: str, title: str, due_on: date | None) -> Task:
        """Raises NotFound, PermissionDenied, or InvalidArgument for a task without words."""
        title = _title(title)
        with self._database.transaction() as session:
            row, client_name = _own(session, actor, task_id)
            row.title, row.due_on = title, due_on
            session.flush()
            return _task(row, client_name)

    def remove(self, actor: Actor, task_id: str) -> Task:
        """Returns what was removed. Raises NotFound or PermissionDenied."""
        with self._database.transaction() as session:
            row, client_name = _own(session, actor, task_id)
            session.delete(row)
            return _task(row, client_name)

    def some(self, actor: Actor, task_ids: Collection[str]) -> list[Task]:
        """These tasks, as far as they are the actor's own, in the order of their days."""
        query = _visible(actor).where(TaskRow.agent_id == actor.agent_id, TaskRow.id.in_(task_ids))
        with self._database.read() as session:
            return _tasks(session.execute(_by_due(query)))

    def list_page(self, actor: Actor, wanted: TaskFilter, number: int) -> Page[Task]:
        """A page of the actor's own tasks."""
        query = self._listed(actor, wanted)
        with self._database.read() as session:
            total = bounded_count(session, query.with_only_columns(TaskRow.id).order_by(None))
            found = session.execute(query.limit(PAGE_SIZE).offset(offset(number)))
            return Page(items=_tasks(found), total=total, number=number)

    def export(self, actor: Actor, wanted: TaskFilter) -> list[Task]:
        """Everything that the list shows, for CSV (at most EXPORT_LIMIT)."""
        with self._database.read() as session:
            return _tasks(session.execute(self._listed(actor, wanted).limit(EXPORT_LIMIT)))

    def done(self, actor: Actor, task_id: str) -> Task:
        """Doing it twice changes nothing. Raises NotFound or PermissionDenied."""
        return self._set(actor, task_id, self._clock.now())

    def undo(self, actor: Actor, task_id: str) -> Task:
        """Opens a task again that was ticked off. Raises NotFound or PermissionDenied."""
        return self._set(actor, task_id, None)

    def of_client(self, actor: Actor, client_id: str) -> tuple[list[Task], list[Task]]:
        """A client's open tasks, and the last few that were done."""
        mine = _visible(actor).where(TaskRow.client_id == client_id)
        return self._open_and_done(mine, mine.where(TaskRow.done_at.is_not(None)), most_open=_OF_CLIENT)

    def on_desk(self, actor: Actor) -> tuple[list[Task], list[Task]]:
        """The actor's own open tasks, overdue ones first, those without a day last; and what they ticked off in the
        last minutes, which can be taken back where it was done."""
        mine = _visible(actor).where(TaskRow.agent_id == actor.agent_id)
        return self._open_and_done(mine, mine.where(self._just_now()), most_open=SHOWN)

    def just_done(self, actor: Actor) -> list[Task]:
        """What the actor ticked off in the last minutes."""
        query = _visible(actor).where(TaskRow.agent_id == actor.agent_id, self._just_now())
        with self._database.read() as session:
            return _tasks(session.execute(_by_done(query).limit(_DONE_SHOWN)))

    def _just_now(self) -> ColumnElement[bool]:
        return TaskRow.done_at >= self._clock.now() - _JUST_NOW

    def _open_and_done(self, mine: _Rows, done: _Rows, *, most_open: int) -> tuple[list[Task], list[Task]]:
        """Of `mine` what is still to do, by its day; and what was done last. Both in one query."""
        parts = _by_due(mine.where(TaskRow.done_at.is_(None))).limit(most_open), _by_done(done).limit(_DONE_SHOWN)
        shown = union_all(*(select(part.with_only_columns(TaskRow.id).subquery().c.id) for part in parts))
        # Those to be done have no moment, so that their days order them; the others are ordered by theirs.
        query = _by_due(mine.where(TaskRow.id.in_(shown)).order_by(TaskRow.done_at.desc()))
        with self._database.read() as session:
            found = _tasks(session.execute(query))
        return [task for task in found if task.done_at is None], [task for task in found if task.done_at is not None]

    def _listed(self, actor: Actor, wanted: TaskFilter) -> _Rows:
        query = _visible(actor).where(TaskRow.agent_id == actor.agent_id)
        for word in wanted.text.split():
            columns = (TaskRow.title, ClientRow.first_name, ClientRow.last_name)
            query = query.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
        match wanted.state:
            case TaskState.OPEN:
                query = query.where(TaskRow.done_at.is_(None))
            case TaskState.OVERDUE:
                query = query.where(TaskRow.done_at.is_(None), TaskRow.due_on < wanted.today)
            case TaskState.DONE:
                query = query.where(TaskRow.done_at.is_not(None))
        return in_order(query, wanted.order or usual_order(wanted.state), TASK_KEYS, TaskRow.id)

    def _set(self, actor: Actor, task_id: str, moment: datetime | None) -> Task:
        with self._database.transaction() as session:
            row, client_name = _own(session, actor, task_id)
            if moment is None or row.done_at is None:
                row.done_at = moment
            session.flush()
            return _task(row, client_name)


def _own(session: Session, actor: Actor, task_id: str) -> tuple[TaskRow, str]:
    """A task to change, held where the session may write, and its client's name."""
    found = session.execute(_visible(actor).where(TaskRow.id == task_id).with_for_update(of=TaskRow)).first()
    if found is None:
        raise NotFound("There is no such task among yours.")
    row, first_name, last_name = found
    if not actor.owns(row.agent_id):
        raise PermissionDenied("Only this client's own agent can change the task.")
    return row, f"{first_name} {last_name}".strip()


def _title(text: str) -> str:
    text = " ".join(text.split())
    if not text or len(text) > LONGEST_TITLE:
        raise InvalidArgument(f"Say in up to {LONGEST_TITLE} letters what is to be done.", field="title")
    return text


def _visible(actor: Actor) -> _Rows:
    return (
        select(TaskRow, ClientRow.first_name, ClientRow.last_name)
        .join(ClientRow, ClientRow.id == TaskRow.client_id)
        .where(visible_to(actor, TaskRow.agency_id, TaskRow.agent_id))
    )


def _by_due(query: _Rows) -> _Rows:
    return query.order_by(TaskRow.due_on.asc().nulls_last(), TaskRow.created_at, TaskRow.id)


def _by_done(query: _Rows) -> _Rows:
    return query.order_by(TaskRow.done_at.desc(), TaskRow.id)


def _tasks(found: Iterable[Row[TaskRow, str, str]]) -> list[Task]:
    return [_task(row, f"{first} {last}".strip()) for row, first, last in found]


def _task(row: TaskRow, client_name: str) -> Task:
    return Task(
        id=row.id,
        client_id=row.client_id,
        client_name=client_name,
        title=row.title,
        due_on=row.due_on,
        done_at=row.done_at,
    )
