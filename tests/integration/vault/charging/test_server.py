"""Charging's door over real TLS: the CRM and the operator get in, each to their own; charging gets in nowhere else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis import errors
from chassis.rpc import Caller, open_channel
from chassis.rpc.errors import from_rpc_error
from deploy.vault.policies import IDENTITIES as TRANSIT_IDENTITIES
from protos.wayvault.vault.v1 import charging_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2
from protos.wayvault.vault.v1.charging_pb2_grpc import ChargingStub
from services.vault.authz import ALLOW as VAULT_ALLOW
from services.vault.charging.authz import ALLOW
from services.vault.charging.bootstrap import open_server
from tests.support.charging import ChargingKit, charge_request, charging_kit
from tests.support.tls import Authority

pytestmark = pytest.mark.enable_socket

NAME = "charging.wayvault.internal"
METHODS = [
    f"/wayvault.vault.v1.Charging/{method.name}" for method in pb.DESCRIPTOR.services_by_name["Charging"].methods
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ChargingKit, Authority, str]]:
    folder = tmp_path_factory.mktemp("charging")
    authority = Authority.create(folder / "ours")
    with charging_kit(folder) as kit:
        server = open_server(kit.charging, "127.0.0.1:0", authority.issue("charging"), workers=4)
        server.start()
        yield kit, authority, f"127.0.0.1:{server.port}"
        server.stop(grace=0)


@pytest.mark.parametrize("identity", ["crm", "operator", "portal", "frame", "notifier", "vault", "charging"])
def test_every_identity_reaches_its_own_methods_and_no_other(
    served: tuple[ChargingKit, Authority, str], identity: str
) -> None:
    _, authority, address = served
    with open_channel(address, authority.issue(identity), NAME) as channel:
        raw: Any = channel  # gRPC's stubs have no raw calls
        for name in METHODS:
            try:
                raw.unary_unary(name)(b"", timeout=5)
                denied = False
            except grpc.RpcError as error:
                denied = isinstance(from_rpc_error(error), errors.PermissionDenied)
            assert denied != ALLOW.allows(name, identity), (name, identity)


def test_a_card_is_charged_over_the_wire(served: tuple[ChargingKit, Authority, str]) -> None:
    kit, authority, address = served
    token = kit.kit.store()
    with open_channel(address, authority.issue("crm"), NAME) as channel:
        caller, stub = Caller(channel), ChargingStub(channel)
        answer = caller.call(stub.Charge, charge_request(token), timeout=40.0)
        with pytest.raises(errors.InvalidArgument):
            caller.call(stub.Charge, charge_request(token, currency="dollars"), timeout=40.0)
        with pytest.raises(errors.DeadlineTooShort):
            caller.call(stub.Charge, charge_request(kit.kit.store("payment_9"), "payment_9"), timeout=5.0)
    assert answer.state == pb.CHARGE_STATE_SUCCEEDED


def test_the_vault_lets_charging_call_nothing() -> None:
    assert not [name for name in _methods_of_the_vault() if VAULT_ALLOW.allows(name, "charging")]


def test_the_transit_policy_of_charging_opens_cards_and_seals_its_own_and_nothing_else() -> None:
    assert {(rule.path, rule.capability) for rule in TRANSIT_IDENTITIES["charging"]} == {
        ("decrypt/card", "update"),
        ("decrypt/cvv", "update"),
        ("encrypt/sealing", "update"),
        ("decrypt/sealing", "update"),
    }


def _methods_of_the_vault() -> list[str]:
    return [
        f"/{service.full_name}/{method.name}"
        for service in vault_pb2.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]


def test_nothing_of_charging_imports_the_rest_of_the_vaults_work() -> None:
    """Reveal and intake are closed to it by what it is built from, not only by the lists."""
    folder = Path(__file__).parents[4] / "services" / "vault" / "charging"
    for path in folder.rglob("*.py"):
        source = path.read_text("utf-8")
        assert "services.vault.reveal" not in source, path
        assert "services.vault.intake" not in source, path
