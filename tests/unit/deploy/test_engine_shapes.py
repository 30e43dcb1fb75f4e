"""Engines as clusters: in which shape they run, where their members live, what stands before them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.dev.engines import __main__ as engines
from deploy.dev.engines import shape
from deploy.dev.engines.cluster import network
from deploy.dev.engines.cluster.proxy import Front
from deploy.dev.engines.host import EngineFault
from deploy.dev.state import Ports, State

BASES = st.integers(1024, 65_500)


def test_a_cluster_is_not_started_as_one_server_before_it_was_stopped(tmp_path: Path) -> None:
    state = State(root=tmp_path, ports=Ports())
    assert shape.clustered(state) == frozenset()
    for name in engines.NAMES:
        shape.choose(state, name, cluster=True)
    shape.choose(state, "postgres", cluster=True)
    with pytest.raises(EngineFault, match="stop postgres"):
        shape.choose(state, "postgres", cluster=False)
    shape.forget(state, "postgres")
    shape.choose(state, "postgres", cluster=False)
    assert shape.clustered(state) == {"rabbitmq", "hcvault"}


def test_what_is_missing_for_a_cluster_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAYVAULT_STATE", str(tmp_path))
    monkeypatch.setattr(shape, "find_program", lambda *_: None)
    assert engines.main(["start", "--cluster", "--check", "postgres"]) == 1
    said = capsys.readouterr().out
    for program, package in (("patroni", "patroni"), ("etcd", "etcd-server"), ("haproxy", "haproxy")):
        assert f"{program} is missing: apt-get install {package}" in said
    assert engines.main(["start", "--check"]) == 0
    assert list(tmp_path.iterdir()) == [], "it only looked"


def test_only_start_takes_the_shape() -> None:
    with pytest.raises(SystemExit):
        engines.main(["stop", "--cluster"])


@given(BASES)
def test_members_have_ports_and_addresses_of_their_own(base: int) -> None:
    ports = Ports(base=base)
    taken = [port for engine in engines.NAMES for number in network.MEMBERS for port in ports.member(engine, number)]
    assert len(set(taken)) == len(taken) == 36
    assert not set(taken) & set(range(base, base + 30))
    assert all(1 <= port <= 65_535 for port in taken)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "namespaces_work", lambda: True)
        at = network.Network(State(root=Path("var"), ports=ports))
        places = [place for engine in engines.NAMES for place in at.places(engine)]
    assert len({place.address for place in places}) == len({place.cable for place in places}) == 9
    assert all(len(place.cable or "") <= 15 for place in places), "Linux takes no longer name for a link"
    assert all(place.address.startswith("10.") for place in places)


def test_without_root_members_share_the_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "namespaces_work", lambda: False)
    places = network.Network(State(root=Path("var"), ports=Ports())).places("postgres")
    assert {(place.address, place.namespace, place.cable) for place in places} == {("127.0.0.1", None, None)}


def test_the_proxy_asks_each_member_whether_it_takes_connections() -> None:
    front = Front(
        name="vault", port=8122, check=("option httpchk GET /v1/sys/health",), members={"a": ("10.1.1.1:9", "x")}
    )
    assert front.lines().splitlines() == [
        "listen vault",
        "  bind 127.0.0.1:8122",
        "  option httpchk GET /v1/sys/health",
        "  server a 10.1.1.1:9 check x",
    ]
