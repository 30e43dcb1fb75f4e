"""RabbitMQ as three nodes: a queue that the services declare (quorum) lives on all of them."""

import secrets
from pathlib import Path
from typing import Any

from deploy.dev.engines.cluster.network import MEMBERS, Network, Place
from deploy.dev.engines.cluster.proxy import Front, Proxy
from deploy.dev.engines.host import wait_until
from deploy.dev.engines.rabbitmq import NAME, Node, RabbitMq
from deploy.dev.state import State
from deploy.files import write_file
from deploy.rabbitmq.management import Management, ManagementFault

_ENGINE = "rabbitmq"
# pause_minority: a node that sees no other stops serving, so that no two halves go on by themselves. The tick finds a
# node that does not answer within ten seconds instead of a minute.
_TOGETHER = """\
cluster_formation.peer_discovery_backend = classic_config
{nodes}
cluster_partition_handling = pause_minority
net_ticktime = 8
vm_memory_high_watermark.absolute = 256MB
"""
# Schedulers don't spin while they wait: three nodes share few processors here.
_ERLANG = "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel net_ticktime 8"
_WHOLE_SECONDS = 120


class RabbitCluster:
    """Starts and stops the three nodes of one state directory."""

    name = f"{NAME} (three nodes)"

    def __init__(self, state: State) -> None:
        self._state = state
        self._network = Network(state)
        self._proxy = Proxy(state, _ENGINE)

    def amqp(self) -> str:
        """host:port of every node, with commas."""
        return ",".join(self._node(place).amqp() for place in self._places())

    def management_url(self) -> str:
        """Of whichever node runs."""
        return f"https://127.0.0.1:{self._state.ports.rabbit_management}"

    def admin_password(self) -> str:
        return RabbitMq(self._state).admin_password()

    def management(self) -> Management:
        return RabbitMq(self._state).management()

    def start(self) -> bool:
        """Starts what does not run; returns whether it had to do anything. Raises EngineFault."""
        started = False
        for place in self._places():
            # One after the other: the later ones join the first.
            started = self._start(place) or started
        started = self._proxy.start(self._fronts()) or started
        for place in self._apart_once_known():
            self._node(place).stop()
            started = self._start(place) or started
        wait_until(self.answers, what=self.name, seconds=_WHOLE_SECONDS)
        return started

    def stop(self) -> bool:
        """Stops all nodes, the last started first; returns whether any ran."""
        ran = self._proxy.stop()
        for place in reversed(self._places()):
            ran = self._node(place).stop() or ran
        self._network.remove(_ENGINE)
        return ran

    def reload(self) -> bool:
        """Lets all nodes show renewed certificates; returns whether any runs."""
        for place in self._places():
            self._network.certify(place)
        reloaded = [self._node(place).reload() for place in self._places()]
        return any(reloaded)

    def answers(self) -> bool:
        """Whether all three run and know each other."""
        return all(self._works_with_all(place) for place in self._places())

    def leader(self) -> str:
        """The name of the member that leads the CRM's queue; before the CRM made it, of the first. Raises OSError."""
        by_node = {self._erlang_name(place): place.folder for place in self._places()}
        try:
            return by_node[self.management().get("/api/queues/wayvault/wayvault.crm")["leader"]]
        except (ManagementFault, KeyError):
            return self._places()[0].folder

    def _apart_once_known(self) -> list[Place]:
        """Waits until all work together, or until some are seen to stay apart: these."""
        apart: list[Place] = []

        def is_known() -> bool:
            apart[:] = self._who_stays_apart()
            return bool(apart) or self.answers()

        wait_until(is_known, what=self.name, seconds=_WHOLE_SECONDS)
        return apart

    def _who_stays_apart(self) -> list[Place]:
        """Those that are parted from both others, and find it out by themselves late or never.

        A node that was frozen sees the others again at the moment at which it learns that it was away: it is in no
        minority then, so that `pause_minority` leaves it as it is.
        """
        return [place for place in self._places() if self._parted_from(place, self._nodes(place)) == len(MEMBERS) - 1]

    def _works_with_all(self, place: Place) -> bool:
        nodes = self._nodes(place)
        return sum(bool(node.get("running")) for node in nodes) == len(MEMBERS) and not self._parted_from(place, nodes)

    def _nodes(self, place: Place) -> list[dict[str, Any]]:
        """All nodes as this one sees them; none if it doesn't answer."""
        try:
            nodes: list[dict[str, Any]] = self._node(place).management().get("/api/nodes")
        except (ManagementFault, OSError):
            return []
        return nodes

    def _parted_from(self, place: Place, nodes: list[dict[str, Any]]) -> int:
        return sum(len(node.get("partitions", ())) for node in nodes if node["name"] == self._erlang_name(place))

    def _places(self) -> list[Place]:
        return self._network.places(_ENGINE)

    def _start(self, place: Place) -> bool:
        self._network.make(place)
        return self._node(place).start()

    def _node(self, place: Place) -> RabbitMq:
        port, management, distribution, _ = self._state.ports.member(_ENGINE, place.number)
        # Once made, a cluster knows its nodes. Whoever is first must not wait for those that come later.
        names = [self._erlang_name(each) for each in self._places()[: place.number]]
        nodes = "\n".join(f"cluster_formation.classic_config.nodes.{n} = {name}" for n, name in enumerate(names, 1))
        return RabbitMq(
            self._state,
            Node(
                name=self._erlang_name(place), port=port, management_port=management, distribution_port=distribution,
                epmd_port=self._state.ports.rabbit_epmd, folder=place.folder, certificate=place.folder,
                address=place.address, namespace=place.namespace, cookie=self._cookie(), erlang=_ERLANG,
                more=_TOGETHER.format(nodes=nodes),
            ),
        )  # fmt: skip

    def _erlang_name(self, place: Place) -> str:
        return f"wayvault-{self._state.ports.base}-{place.number}@{place.address}"

    def _cookie(self) -> str:
        path: Path = self._state.engines / "secrets" / "rabbitmq_cookie"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_file(path, secrets.token_hex(16))
        return path.read_text("ascii").strip()

    def _fronts(self) -> list[Front]:
        """For administrators only: the services know all three nodes by address."""
        members = {}
        for place in self._places():
            _, management, _, _ = self._state.ports.member(_ENGINE, place.number)
            members[place.folder] = f"{place.address}:{management}", ""
        return [Front(name="management", port=self._state.ports.rabbit_management, check=(), members=members)]
