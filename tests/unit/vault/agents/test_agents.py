"""The register of agents: where codes go, and that nothing but an operator's own command changes it."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import AgentUnknown, InvalidArgument
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.agents.rpc import AgentRegisterRpc
from services.vault.agents.rules import is_address, mask_address
from services.vault.agents.service import AgentRegister, find_agent
from tests.support.clock import FakeClock
from tests.support.vault import VaultRooms
from tests.support.vault_kit import AGENCY, make_kit


@pytest.fixture
def register(rooms: VaultRooms) -> AgentRegister:
    return AgentRegister(rooms.audit, clock=rooms.clock)


def enrol(rooms: VaultRooms, register: AgentRegister, **changes: str) -> None:
    fields = {
        "agent_id": "agent_1",
        "agency_id": "agency_1",
        "display_name": "Maya Okafor",
        "email": "maya@harbour.example",
        "actor": "operator",
    }
    with rooms.database.transaction() as session:
        register.enrol(session, **fields | changes)


def test_an_enrolled_agent_is_found(rooms: VaultRooms, register: AgentRegister) -> None:
    enrol(rooms, register)

    with rooms.database.read() as session:
        agent = find_agent(session, "agent_1")
    assert (agent.email, agent.display_name, agent.agency_id) == ("maya@harbour.example", "Maya Okafor", "agency_1")


def test_an_agent_nobody_enrolled_is_unknown(rooms: VaultRooms, register: AgentRegister) -> None:
    with rooms.database.read() as session, pytest.raises(AgentUnknown):
        find_agent(session, "agent_2")
    with rooms.database.transaction() as session, pytest.raises(AgentUnknown):
        register.change_email(session, agent_id="agent_2", email="x@y.example", actor="operator")


def test_enrolling_her_again_changes_nothing(rooms: VaultRooms, register: AgentRegister, clock: FakeClock) -> None:
    enrol(rooms, register)
    clock.advance(timedelta(hours=1))
    enrol(rooms, register)

    with rooms.database.read() as session:
        assert find_agent(session, "agent_1").enrolled_at == clock.now() - timedelta(hours=1)
    assert len(list(rooms.audit.export())) == 1


@pytest.mark.parametrize("change", [{"email": "eve@evil.example"}, {"agency_id": "agency_2"}])
def test_enrolment_can_not_redirect_an_agents_codes(
    rooms: VaultRooms, register: AgentRegister, change: dict[str, str]
) -> None:
    enrol(rooms, register)

    with pytest.raises(InvalidArgument, match="change-agent-email"):
        enrol(rooms, register, **change)
    with rooms.database.read() as session:
        assert find_agent(session, "agent_1").email == "maya@harbour.example"


def test_a_changed_address_is_used_and_audited_masked(rooms: VaultRooms, register: AgentRegister) -> None:
    enrol(rooms, register)
    with rooms.database.transaction() as session:
        register.change_email(session, agent_id="agent_1", email="m.okafor@harbour.example", actor="operator")

    with rooms.database.read() as session:
        assert find_agent(session, "agent_1").email == "m.okafor@harbour.example"
    last = [json.loads(line) for line in rooms.audit.export()][-1]
    assert (last["action"], last["actor"], last["resource"]) == ("agent.email_changed", "operator", "agent_1")
    assert last["reason"] == "m***@harbour.example -> m***@harbour.example"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "maya",
        "@harbour.example",
        "maya@",
        "maya@localhost",
        "maya@harbour.example\r\nBcc: eve@evil.example",
        "maya@harbour.example,eve@evil.example",
        "Maya <maya@harbour.example>",
        '"maya okafor"@harbour.example',
        "maya(work)@harbour.example",
        "maya@[127.0.0.1]",
        "maya@@harbour.example",
        ".maya@harbour.example",
        "ma..ya@harbour.example",
        "maya@harbour..example",
        "maya@hárbour.example",
        "m" * 65 + "@harbour.example",
        "maya@" + "a" * 250 + ".example",
        "=?utf-8?q?maya?=@harbour.example ",
    ],
)
def test_what_is_no_plain_address_is_refused(rooms: VaultRooms, register: AgentRegister, address: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        enrol(rooms, register, email=address)
    assert refusal.value.field == "email"


@pytest.mark.parametrize("address", ["maya@harbour.example", "m@h.example", "maya.o+codes@mail.harbour-vine.example"])
def test_plain_addresses_are_taken(address: str) -> None:
    assert is_address(address)


@given(st.emails())
def test_a_hint_shows_one_letter_and_the_domain(address: str) -> None:
    local, _, domain = address.rpartition("@")
    if "@" not in local:
        assert mask_address(address) == f"{local[0]}***@{domain}"


def test_an_agency_reads_who_of_its_own_people_is_enrolled_with_masked_addresses(tmp_path: Path) -> None:
    kit = make_kit(tmp_path)
    kit.enrol("agent_eve", agency="agency_2", email="eve@elsewhere.example")
    face = AgentRegisterRpc(kit.vault.core.database)
    answer = kit.call("crm", face.ListEnrolled, pb.ListEnrolledRequest(agency_id="agency_2"))
    assert [(agent.agent_id, agent.address_hint) for agent in answer.agents] == [
        ("agent_eve", "e***@elsewhere.example")
    ]
    own = kit.call("crm", face.ListEnrolled, pb.ListEnrolledRequest(agency_id=AGENCY))
    assert "agent_eve" not in [agent.agent_id for agent in own.agents]
    kit.vault.close()
