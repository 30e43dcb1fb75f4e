"""The first steps of an agency, and which of them are done. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Step(StrEnum):
    """In the order in which they are best done."""

    LOOK = "look"
    POLICIES = "policies"
    AGENTS = "agents"
    ENROLMENT = "enrolment"
    TEMPLATES = "templates"
    HANDOUTS = "handouts"
    PAYMENT = "payment"


# What only a person can say: that they have looked.
TICKED: Final = frozenset({Step.POLICIES, Step.TEMPLATES})
# In place of a step: the admin has closed the first steps.
CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of an agency. `not_enrolled`: active agents who can't ask for cards yet, by name; None while the
    vault does not answer."""

    has_logo: bool
    has_address: bool
    agents: int
    not_enrolled: tuple[str, ...] | None
    hands_out: bool
    has_authorized: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """A step as the page shows it. `endpoint` is where it is done; `can_tick`: a person says that it is done."""

    step: Step
    title: str
    detail: str
    endpoint: str
    anchor: str
    action: str
    done: bool

    @property
    def can_tick(self) -> bool:
        return self.step in TICKED and not self.done


def todos(facts: Facts, ticked: Collection[str]) -> list[Todo]:
    """All steps, with what is done."""
    return [
        Todo(
            step=Step.LOOK,
            title="Name, logo and address",
            detail="Clients see them on every page and in every e-mail.",
            endpoint="agency.show",
            anchor="look",
            action="Set the look",
            done=facts.has_logo and facts.has_address,
        ),
        Todo(
            step=Step.POLICIES,
            title="Policies",
            detail="How long a card may live, whether a CVV is kept, whether a lost card may be shown again.",
            endpoint="agency.show",
            anchor="agency",
            action="Read the policies",
            done=Step.POLICIES in ticked,
        ),
        Todo(
            step=Step.AGENTS,
            title="Agents",
            detail="Each gets an invitation by e-mail and sets up a password and an authenticator.",
            endpoint="agency.new_agent",
            anchor="",
            action="Add an agent",
            done=facts.agents > 1,
        ),
        _enrolment(facts.not_enrolled),
        Todo(
            step=Step.TEMPLATES,
            title="Document templates",
            detail="The card authorization, your terms, the service fee agreement: read what clients will sign.",
            endpoint="esign.library",
            anchor="",
            action="Read the templates",
            done=Step.TEMPLATES in ticked,
        ),
        Todo(
            step=Step.HANDOUTS,
            title="Community and Quick Sheet",
            detail="Where your agents talk to each other, and one page that they keep beside the phone.",
            endpoint="handouts.show",
            anchor="",
            action="Set them",
            done=facts.hands_out,
        ),
        Todo(
            step=Step.PAYMENT,
            title="A first test payment",
            detail="Make a booking with yourself as the client, send yourself a payment link, and authorize it with a "
            "published test card. Void it afterwards.",
            endpoint="bookings.new",
            anchor="",
            action="New booking",
            done=facts.has_authorized,
        ),
    ]


def _enrolment(not_enrolled: tuple[str, ...] | None) -> Todo:
    if not_enrolled is None:
        detail = "The card vault does not answer at the moment, so it can't be said who is enrolled."
    elif not_enrolled:
        who = ", ".join(not_enrolled)
        detail = f"Can't ask clients for cards yet: {who}. Each agent's page says what the operator has to do."
    else:
        detail = "Every agent can ask clients for cards."
    return Todo(
        step=Step.ENROLMENT,
        title="Enrolment with the card vault",
        detail=detail,
        endpoint="agency.show",
        anchor="agents",
        action="See the agents",
        done=not_enrolled == (),
    )
