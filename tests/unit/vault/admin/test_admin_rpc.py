"""The operator's face: parses, repeats safely, and says what was done."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import cast

import grpc
import pytest

from chassis.errors import IdempotencyMismatch, InvalidArgument
from chassis.rpc.calls import CallInfo, enter_call, leave_call
from chassis.rpc.idempotency import Idempotency
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.admin.rpc import AdminServices, VaultAdminRpc
from services.vault.agents.service import AgentRegister, find_agent
from services.vault.audit.service import wrapped_column as audit_column
from services.vault.custody.service import wrapped_columns
from services.vault.keys.service import KeyService
from services.vault.models import idempotency_table
from services.vault.sealing_keys.service import Lifetime, SealingKeys
from services.vault.sealing_keys.service import wrapped_column as sealing_column
from tests.support.vault import VaultRooms

NO_CONTEXT = cast("grpc.ServicerContext", None)
ENROL = pb.EnrollAgentRequest(
    idempotency_key="enrol-1-key",
    agent_id="agent_1",
    agency_id="agency_1",
    display_name="Maya Okafor",
    email="maya@harbour.example",
)


@pytest.fixture
def sealing_keys(rooms: VaultRooms) -> SealingKeys:
    lifetime = Lifetime(ttl=timedelta(days=1), grace=timedelta(hours=2))
    return SealingKeys(rooms.database, rooms.transit.sealing, audit=rooms.audit, clock=rooms.clock, lifetime=lifetime)


@pytest.fixture
def face(rooms: VaultRooms, sealing_keys: SealingKeys) -> Iterator[VaultAdminRpc]:
    keys = KeyService(
        rooms.database,
        rooms.transit,
        audit=rooms.audit,
        clock=rooms.clock,
        columns=[*wrapped_columns(), sealing_column(), audit_column()],
        pause=lambda _seconds: None,
    )
    services = AdminServices(
        agents=AgentRegister(rooms.audit, clock=rooms.clock),
        keys=keys,
        sealing_keys=sealing_keys,
        audit=rooms.audit,
        purge=lambda: pb.PurgeExpiredResponse(cards_lapsed=3),
        idempotency=Idempotency(rooms.database, idempotency_table, rooms.clock),
    )
    token = enter_call(CallInfo(method="/test", caller="operator", deadline=time.monotonic() + 60))
    yield VaultAdminRpc(services)
    leave_call(token)


def test_an_enrolment_repeated_with_its_key_answers_the_same(face: VaultAdminRpc, rooms: VaultRooms) -> None:
    first = face.EnrollAgent(ENROL, NO_CONTEXT)

    assert face.EnrollAgent(ENROL, NO_CONTEXT) == first
    assert first.enrolled_at.ToDatetime(tzinfo=rooms.clock.now().tzinfo) == rooms.clock.now()
    with pytest.raises(IdempotencyMismatch):
        face.EnrollAgent(
            pb.EnrollAgentRequest(
                idempotency_key=ENROL.idempotency_key,
                agent_id="agent_2",
                agency_id="agency_1",
                display_name="x",
                email="x@y.example",
            ),
            NO_CONTEXT,
        )


def test_an_address_is_changed(face: VaultAdminRpc, rooms: VaultRooms) -> None:
    face.EnrollAgent(ENROL, NO_CONTEXT)
    face.ChangeAgentEmail(
        pb.ChangeAgentEmailRequest(idempotency_key="change-1", agent_id="agent_1", email="m@harbour.example"),
        NO_CONTEXT,
    )

    with rooms.database.read() as session:
        assert find_agent(session, "agent_1").email == "m@harbour.example"


def test_naming_no_key_rotates_all_and_a_repeated_call_rotates_once(
    face: VaultAdminRpc, sealing_keys: SealingKeys
) -> None:
    before = sealing_keys.current().kid
    request = pb.RotateKeysRequest(idempotency_key="rotate-1")

    answer = face.RotateKeys(request, NO_CONTEXT)
    after = sealing_keys.current().kid

    assert face.RotateKeys(request, NO_CONTEXT) == answer
    assert {version.key: version.latest_version for version in answer.versions} == {"card": 2, "cvv": 2, "sealing": 2}
    assert before != after == sealing_keys.current().kid


def test_a_key_that_does_not_exist_is_refused(face: VaultAdminRpc) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        face.RotateKeys(pb.RotateKeysRequest(idempotency_key="rotate-1", keys=["pin"]), NO_CONTEXT)
    assert refusal.value.field == "keys"


def test_a_rewrap_of_an_empty_vault_finishes(face: VaultAdminRpc) -> None:
    (*_, last) = face.Rewrap(pb.RewrapRequest(trim=True), NO_CONTEXT)

    assert last.finished
    assert (last.card_key.key, last.card_key.latest_version) == ("card", 1)


def test_purging_is_the_sweeps_work(face: VaultAdminRpc) -> None:
    assert face.PurgeExpired(pb.PurgeExpiredRequest(), NO_CONTEXT).cards_lapsed == 3


def test_a_whole_trail_has_no_findings(face: VaultAdminRpc) -> None:
    face.EnrollAgent(ENROL, NO_CONTEXT)

    report = face.VerifyAudit(pb.VerifyAuditRequest(), NO_CONTEXT)
    assert (report.chains, report.rows, list(report.findings)) == (1, 1, [])
