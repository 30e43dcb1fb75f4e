"""Use cases of the first steps: see them, tick one, close them."""

from sqlalchemy import select

from chassis.clock import Clock
from chassis.db import Database, insert_if_absent
from chassis.errors import InvalidArgument
from services.crm.access.enrolment.rules import EnrolmentStatus
from services.crm.access.parts import Access
from services.crm.core.actor import Actor
from services.crm.office.first_steps.models import FirstStepRow
from services.crm.office.first_steps.rules import CLOSED, TICKED, Facts, Todo, todos
from services.crm.office.handouts.service import HandoutDesk
from services.crm.paying.payments.service import PaymentBook


class FirstSteps:
    """For admins."""

    def __init__(
        self, *, database: Database, clock: Clock, access: Access, book: PaymentBook, handouts: HandoutDesk
    ) -> None:
        self._database = database
        self._clock = clock
        self._access = access
        self._book = book
        self._handouts = handouts

    def are_open(self, actor: Actor) -> bool:
        """Whether the actor is an admin who has not closed them yet."""
        if not actor.is_admin:
            return False
        with self._database.read() as session:
            return session.get(FirstStepRow, (actor.agency_id, CLOSED)) is None

    def todos(self, actor: Actor) -> list[Todo]:
        """All steps. Raises PermissionDenied for agents."""
        actor.demand_admin()
        with self._database.read() as session:
            ticked = set(session.scalars(select(FirstStepRow.step).where(FirstStepRow.agency_id == actor.agency_id)))
        return todos(self._facts(actor), ticked)

    def tick(self, actor: Actor, step: str) -> None:
        """An admin says that a step is done, or closes them all (CLOSED). Doing so again changes nothing.

        Raises PermissionDenied, and InvalidArgument for what is done elsewhere.
        """
        actor.demand_admin()
        if step not in TICKED and step != CLOSED:
            raise InvalidArgument("This step is ticked by itself once it is done.")
        values = {"agency_id": actor.agency_id, "step": step, "at": self._clock.now()}
        with self._database.transaction() as session:
            insert_if_absent(session, FirstStepRow.__table__, values)  # type: ignore[arg-type]  # it is a Table

    def _facts(self, actor: Actor) -> Facts:
        directory = self._access.directory
        agency = directory.agency(actor.agency_id)
        active = [agent for agent in directory.agents(actor) if agent.data.active]
        enrolments = self._access.enrolments.of_agency(actor.agency_id, active)
        known = all(one.status is not EnrolmentStatus.UNKNOWN for one in enrolments.values())
        return Facts(
            has_logo=bool(agency.logo_sha256),
            has_address=bool(agency.data.email),
            agents=len(active),
            not_enrolled=tuple(agent.name for agent in active if not enrolments[agent.id].may_ask) if known else None,
            hands_out=bool(self._handouts.of(actor)),
            has_authorized=self._book.has_authorized(actor),
        )
