"""The days by which tasks are to be done, for the calendar."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.typed.names import full_name
from services.crm.core.day_queries import counted, first_of_each_day
from services.crm.core.days import Asked, DayKind, DayLine, Lines
from services.crm.sales.clients.models import ClientRow
from services.crm.sales.tasks.models import TaskRow


def open_tasks(session: Session, asked: Asked) -> Lines:
    """Tasks that are still to be done by these days."""
    query = (
        select(TaskRow.id, TaskRow.title, TaskRow.agent_id, ClientRow.first_name, ClientRow.last_name)
        .join(ClientRow, ClientRow.id == TaskRow.client_id)
        .where(
            TaskRow.agent_id.in_(asked.agent_ids),
            TaskRow.done_at.is_(None),
            TaskRow.due_on.between(asked.first, asked.last),
        )
        .order_by(TaskRow.created_at, TaskRow.id)
    )
    rows = first_of_each_day(session, query, TaskRow.due_on, asked.most)
    lines = [
        DayLine(
            on=row.day,
            kind=DayKind.TASK,
            thing_id=row.id,
            title=row.title,
            detail=full_name(row.first_name, row.last_name),
            agent_id=row.agent_id,
        )
        for row in rows
    ]
    return Lines(lines=lines, counts=counted(rows))
