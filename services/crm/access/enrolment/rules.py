"""What enrolment means for an agent. Pure."""

import shlex
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol


class Person(Protocol):
    """What is asked about: an agent, as the directory knows them."""

    @property
    def id(self) -> str: ...

    @property
    def agency_id(self) -> str: ...

    @property
    def email(self) -> str: ...


class EnrolmentStatus(StrEnum):
    """Where an agent stands with the vault."""

    ENROLLED = "enrolled"
    MISSING = "missing"
    # Enrolled, but codes go to another address than the one that the CRM knows.
    ELSEWHERE = "elsewhere"
    # The vault did not answer: nothing is held against anybody.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """Whether an agent is enrolled. `address_hint` is where codes go, masked."""

    status: EnrolmentStatus
    address_hint: str = ""
    approver: bool = False

    @property
    def may_ask(self) -> bool:
        """Whether asking clients for cards makes sense: the cards could be retrieved."""
        return self.status is not EnrolmentStatus.MISSING


BLOCKED: Final = (
    "The card vault does not know you yet, so you could never retrieve a card that a client gives you. "
    "Ask your agency's admin to have you enrolled; it takes an operator a minute."
)


def hint_of(address: str) -> str:
    """The address as the vault shows it: "m***@harbour.example"."""
    local, _, domain = address.partition("@")
    return f"{local[:1]}***@{domain}"


def enrol_command(*, agent_id: str, agency_id: str, name: str, email: str) -> str:
    """What an operator runs where the vault runs. Safe to paste into a shell whatever the name holds."""
    parts = ["--agent-id", agent_id, "--agency-id", agency_id, f"--name={name}", f"--email={email}"]
    return f"python -m services.vault enroll-agent {shlex.join(parts)}"
