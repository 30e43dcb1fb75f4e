"""The vault's server over real TLS: who gets in, what nonsense gets, and that nothing of it is logged."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import symbol_database
from google.protobuf.descriptor import MethodDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis import errors
from chassis.rpc import Caller, open_channel
from chassis.rpc.errors import from_rpc_error
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc as rpc
from services.vault.authz import ALLOW
from services.vault.server import open_server
from tests.support.tls import Authority
from tests.support.vault_kit import AGENT, Kit, make_kit

SERVER_NAME = "vault.wayvault.internal"
IDENTITIES = ("portal", "crm", "operator", "frame", "notifier", "vault", "phone", "charging")
MARK = "MARKED-PAYLOAD"
METHODS: dict[str, MethodDescriptor] = {
    f"/{service.full_name}/{method.name}": method
    for service in pb.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}

pytestmark = pytest.mark.enable_socket


@dataclass(slots=True)
class Served:
    kit: Kit
    authority: Authority
    stranger: Authority
    port: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def channel(self, identity: str) -> grpc.Channel:
        return open_channel(self.address, self.authority.issue(identity), SERVER_NAME)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    authority, stranger = Authority.create(folder / "ours"), Authority.create(folder / "theirs")
    kit = make_kit(folder)
    server = open_server(kit.vault, "127.0.0.1:0", authority.issue("vault"), workers=8)
    server.start()
    yield Served(kit, authority, stranger, server.port)
    server.stop(grace=0)
    kit.vault.close()


def message_class(method: MethodDescriptor, *, output: bool = False) -> Any:
    descriptor = method.output_type if output else method.input_type
    return symbol_database.Default().GetSymbol(descriptor.full_name)


def send(channel: grpc.Channel, name: str, payload: bytes) -> errors.WayvaultError | bytes:
    """What a raw call gets: the (first) answer's bytes, or the refusal."""
    raw: Any = channel  # gRPC's stubs have no raw calls
    try:
        if METHODS[name].server_streaming:
            return b"".join(raw.unary_stream(name)(payload, timeout=5))
        return bytes(raw.unary_unary(name)(payload, timeout=5))
    except grpc.RpcError as error:
        return from_rpc_error(error)


def plaintext(served: Served) -> grpc.Channel:
    return grpc.insecure_channel(served.address)


def no_certificate(served: Served) -> grpc.Channel:
    ca = (served.authority.directory / "ca.pem").read_bytes()
    options = (("grpc.ssl_target_name_override", SERVER_NAME),)
    return grpc.secure_channel(served.address, grpc.ssl_channel_credentials(ca), options)


def wrong_ca(served: Served) -> grpc.Channel:
    """Every identity's name, but signed by somebody else, who trusts us for once."""
    files = served.stranger.issue("crm", "crm.wayvault.internal")
    ca = (served.authority.directory / "ca.pem").read_bytes()
    credentials = grpc.ssl_channel_credentials(ca, files.key.read_bytes(), files.cert.read_bytes())
    return grpc.secure_channel(served.address, credentials, (("grpc.ssl_target_name_override", SERVER_NAME),))


def expired(served: Served) -> grpc.Channel:
    return open_channel(served.address, served.authority.issue("crm", expired=True, file="expired"), SERVER_NAME)


def wrong_san(served: Served) -> grpc.Channel:
    return open_channel(
        served.address, served.authority.issue("x", "crm.elsewhere.example", file="wrong-san"), SERVER_NAME
    )


def two_sans(served: Served) -> grpc.Channel:
    names = ("crm.wayvault.internal", "portal.wayvault.internal")
    return open_channel(served.address, served.authority.issue("x", *names, file="two-sans"), SERVER_NAME)


@pytest.mark.parametrize("make", [plaintext, no_certificate, wrong_ca, expired, wrong_san, two_sans])
def test_no_bad_certificate_reaches_any_method(served: Served, make: Callable[[Served], grpc.Channel]) -> None:
    with make(served) as channel:
        for name in METHODS:
            refusal = send(channel, name, b"")
            assert isinstance(refusal, errors.Unavailable | errors.Unauthenticated), (name, refusal)


@pytest.mark.parametrize("identity", IDENTITIES)
def test_every_identity_reaches_its_own_methods_and_no_other(served: Served, identity: str) -> None:
    with served.channel(identity) as channel:
        for name in METHODS:
            outcome = send(channel, name, b"\x0a\x03abc")
            denied = isinstance(outcome, errors.PermissionDenied)
            assert denied != ALLOW.allows(name, identity), (name, identity, outcome)


def test_a_call_that_the_list_denies_is_in_the_audit_trail(served: Served) -> None:
    with served.channel("portal") as channel:
        refusal = send(channel, "/wayvault.vault.v1.VaultAdmin/PurgeExpired", b"")
    assert isinstance(refusal, errors.PermissionDenied)
    with served.kit.vault.core.database.engine.connect() as connection:
        query = "SELECT actor, resource, result FROM audit_rows WHERE action = 'call.denied'"
        rows = {tuple(row) for row in connection.exec_driver_sql(query)}
    assert ("portal", "/wayvault.vault.v1.VaultAdmin/PurgeExpired", "refused") in rows


def test_every_method_is_for_exactly_one_identity() -> None:
    for name in METHODS:
        # The masker stores what was keyed as a form in a browser does.
        also = name.rpartition("/")[2] in ("OpenIntake", "StoreCard", "GetSealingKey")
        assert sum(ALLOW.allows(name, identity) for identity in IDENTITIES) == 1 + also, name


ODD_TEXT = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "\x00", "card_x", AGENT, "a" * 5000, "' OR 1=1", "4111111111111111", "e.y.J.x.x"]),
).map(lambda text: MARK + text if len(text) % 3 else text)


def message_of(descriptor: Any, depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for field in descriptor.fields:
        if field.message_type is not None:
            if depth < 2 and not field.is_repeated:
                fields[field.name] = message_of(field.message_type, depth + 1)
        elif field.is_repeated:
            fields[field.name] = st.lists(ODD_TEXT, max_size=3)
        elif field.type == field.TYPE_STRING:
            fields[field.name] = ODD_TEXT
        elif field.type == field.TYPE_BOOL:
            fields[field.name] = st.booleans()
        elif field.type == field.TYPE_ENUM:
            fields[field.name] = st.integers(0, 5)
        elif field.type == field.TYPE_UINT32:
            fields[field.name] = st.integers(0, 2**32 - 1)
        else:
            fields[field.name] = st.integers(0, 2**31 - 1)
    return st.fixed_dictionaries({}, optional=fields)


@pytest.mark.parametrize("name", [name for name in METHODS if not METHODS[name].server_streaming])
def test_no_nonsense_breaks_a_method_or_reaches_the_log(
    served: Served, name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    identity = next(identity for identity in IDENTITIES if ALLOW.allows(name, identity))
    build = message_class(METHODS[name])
    with served.channel(identity) as channel:

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(fields=message_of(METHODS[name].input_type), raw=st.none() | st.binary(max_size=200))
        def fuzz(fields: dict[str, Any], raw: bytes | None) -> None:
            payload = build(**fields).SerializeToString() if raw is None else raw
            outcome = send(channel, name, payload)
            assert not isinstance(outcome, errors.Internal), fields
            if isinstance(outcome, errors.WayvaultError):
                assert MARK not in outcome.message

        fuzz()
    logged = caplog.text + "".join(capfd.readouterr())
    assert MARK not in logged
    assert "4111111111111111" not in logged


def test_the_main_job_over_the_wire_leaves_no_secret_in_the_log(
    served: Served, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    kit = served.kit
    intake_id = kit.open_intake("payment_wire")
    request = kit.store_request(intake_id)
    with served.channel("portal") as portal, served.channel("crm") as crm:
        stored = Caller(portal).call(rpc.CardIntakeStub(portal).StoreCard, request)
        caller, stub = Caller(crm), rpc.CardRevealStub(crm)
        challenge, code = kit.request_reveal(stored.card_token)
        frame = kit.frame()
        confirm = pb.ConfirmRevealRequest(agent_id=AGENT, sealed_request=frame.reveal(challenge, code))
        answer = caller.call(stub.ConfirmReveal, confirm)
        assert caller.call(stub.ConfirmReveal, confirm) == answer
        with pytest.raises(errors.AlreadyRevealed):
            caller.call(
                stub.ConfirmReveal,
                pb.ConfirmRevealRequest(agent_id=AGENT, sealed_request=kit.frame().reveal(challenge, code)),
            )
    pan = frame.opened(answer.sealed_answer, "wv-card+jwe")["pan"]
    logged = caplog.text + "".join(capfd.readouterr())
    for secret in (pan, code, request.sealed_card, answer.sealed_answer):
        assert secret not in logged


def test_requests_over_16_kib_are_refused_before_they_are_read(served: Served) -> None:
    with served.channel("portal") as channel:
        outcome = send(channel, "/wayvault.vault.v1.CardIntake/StoreCard", b"\x0a" * 20_000)
    assert isinstance(outcome, errors.TooLarge)


def test_reflection_is_off(served: Served) -> None:
    with served.channel("crm") as channel:
        method: Any = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        with pytest.raises(grpc.RpcError) as caught:
            list(method(iter([b""]), timeout=3))
    call: Any = caught.value
    assert call.code() is grpc.StatusCode.UNIMPLEMENTED


def test_nothing_listens_in_plain_sight(served: Served, tmp_path: Path) -> None:
    """A stranger's authority does not even get the server's name accepted."""
    with (
        open_channel(served.address, served.stranger.issue("crm"), SERVER_NAME) as channel,
        pytest.raises(errors.Unavailable),
    ):
        Caller(channel).call(rpc.CardFrameStub(channel).GetSealingKey, pb.GetSealingKeyRequest(), 2)
