"""The demo's office: questions to the admin and their answers, e-mails that did not arrive."""

from datetime import timedelta

from sqlalchemy.orm import Session

from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import DeliveryFailed
from services.crm.core.actor import Actor
from services.crm.office.mail_outcomes.service import note_failed
from services.crm.office.support.service import TicketFilter
from services.crm.parts import Dependencies

# Subject, question, the admin's answer (empty = none yet), whether it is closed.
_QUESTIONS = (
    (
        "Which colour does the portal take?",
        "My client says the portal is green. Is that ours, or do they see another agency's?",
        "It is ours: the colour under Agency. It changed on Monday, when we chose the new logo.",
        True,
    ),
    (
        "May I keep a card for a second deposit?",
        "The Baxters pay two deposits a week apart. Can I leave the card in the vault until the second one?",
        "No: a card is for one payment. Send a second link for the second deposit; signing again takes a minute.",
        False,
    ),
    (
        "A supplier wants the card by fax",
        "Nordic Rail asks me to fax a form with the card number on it. What do I tell them?",
        "",
        False,
    ),
)
_FAILURES = (
    (
        "signed_copy",
        "e***@oldmail.example",
        "",
        "The mailbox does not exist.",
        timedelta(hours=5),
    ),
    (
        "portal_invitation",
        "r***@mail.example",
        "robert.whitcombe@mail.example",
        "The mailbox is full.",
        timedelta(days=2),
    ),
)


def add_office(deps: Dependencies, agent: Actor, admin: Actor) -> None:
    """Gives an agent tickets and failed e-mails, when they have none."""
    support = deps.office.support
    if support.list_page(agent, TicketFilter(), 1).total == 0:
        for subject, question, answer, closed in _QUESTIONS:
            ticket = support.open(agent, subject, question)
            if answer:
                support.write(admin, ticket.id, answer, version=ticket.version)
            if closed:
                support.close(agent, ticket.id)
    with deps.core.database.transaction() as session:
        _add_failures(session, deps, agent)


def _add_failures(session: Session, deps: Dependencies, agent: Actor) -> None:
    for number, (kind, hint, address, reason, ago) in enumerate(_FAILURES):
        message = DeliveryFailed(
            # The same at each import, so that it is there once.
            delivery_id=f"dlv_{agent.agent_id.partition('_')[2][:-1]}{'ab'[number]}",
            kind=kind,
            agent_id=agent.agent_id,
            at=stamp(deps.core.clock.now() - ago),
            reason=reason,
            address_hint=hint,
            address=address,
        )
        note_failed(session, message, agent.agency_id)
