"""HashiCorp Vault as three raft nodes behind HAProxy, which leads every call to the active one.

The unseal key and the root token stay in `<state>/engines/secrets/hcvault-cluster.json` (0600): a developer's cluster.
"""

import hvac
import hvac.exceptions
import requests

from deploy.dev.engines.cluster.network import MEMBERS, Network, Place
from deploy.dev.engines.cluster.proxy import Front, Proxy
from deploy.dev.engines.hcvault import NAME, HcVault, Server
from deploy.dev.engines.host import engines_home, wait_until
from deploy.dev.state import State

_ENGINE = "hcvault"
_KEYS = "hcvault-cluster.json"


class VaultCluster:
    """Starts, unseals and stops the three nodes of one state directory."""

    name = f"{NAME} (three nodes)"

    def __init__(self, state: State) -> None:
        self._state = state
        self._network = Network(state)
        self._proxy = Proxy(state, _ENGINE)

    def address(self) -> str:
        """HAProxy's."""
        return HcVault(self._state).address()

    def client(self) -> hvac.Client:
        return HcVault(self._state).client()

    def root_token(self) -> str:
        return self._node(self._places()[0]).root_token()

    def audit_log(self) -> str:
        """One file for all: the active node writes it."""
        return str(engines_home(self._state, shared=False) / "hcvault-audit.log")

    def start(self) -> bool:
        """Starts and unseals what is not; returns whether it had to do anything. Raises EngineFault."""
        started = [self._start(place) for place in self._places()]
        started.append(self._proxy.start([self._front()]))
        started.append(self._end_former_leaders())
        wait_until(self.answers, what=self.name, seconds=60)
        return any(started)

    def stop(self) -> bool:
        """Stops all nodes; returns whether any ran."""
        ran = [self._proxy.stop(), *(self._node(place).stop() for place in reversed(self._places()))]
        self._network.remove(_ENGINE)
        return any(ran)

    def reload(self) -> bool:
        """Lets all nodes show renewed certificates; returns whether any runs."""
        for place in self._places():
            self._network.certify(place)
        reloaded = [self._node(place).reload() for place in self._places()]
        return any(reloaded)

    def answers(self) -> bool:
        """Whether all three are unsealed, and one of them, and no other, calls itself active and is reached."""
        try:
            nodes = [self._node(place) for place in self._places()]
            unsealed, active = (
                sum(found) for found in zip(*((n.answers(), n.is_active()) for n in nodes), strict=True)
            )
            return unsealed == len(MEMBERS) and active == 1 and self._is_active()
        except (requests.RequestException, hvac.exceptions.VaultError):
            return False

    def leader(self) -> str:
        """The name of the active member. Raises what hvac and requests raise when none is."""
        leading = str(self.client().sys.read_leader_status()["leader_address"])
        return {self._node(place).address(): place.folder for place in self._places()}[leading]

    def _end_former_leaders(self) -> bool:
        """Starts anew whoever calls itself active and is a follower by raft; returns whether there was one.

        A leader that was frozen was seen to do so for minutes: it answered what needs no writing and failed logins.
        """
        client = self.client()
        client.token = self.root_token()
        servers = client.sys.read_raft_config()["data"]["config"]["servers"]
        leaders = [server["node_id"] for server in servers if server["leader"]]
        former = [place for place in self._places() if place.folder not in leaders and self._node(place).is_active()]
        for place in former:
            self._node(place).stop()
            self._start(place)
        return bool(former)

    def _is_active(self) -> bool:
        return HcVault(self._state).is_active()

    def _places(self) -> list[Place]:
        return self._network.places(_ENGINE)

    def _start(self, place: Place) -> bool:
        self._network.make(place)
        return self._node(place).start()

    def _node(self, place: Place) -> HcVault:
        port, cluster_port, _, _ = self._state.ports.member(_ENGINE, place.number)
        addresses = [
            f"https://{each.address}:{self._state.ports.member(_ENGINE, each.number)[0]}" for each in self._places()
        ]
        return HcVault(
            self._state,
            Server(
                port=port, cluster_port=cluster_port, folder=place.folder, certificate=place.folder,
                node_id=place.folder, address=place.address, namespace=place.namespace, keys=_KEYS,
                cluster=tuple(addresses),
            ),
        )  # fmt: skip

    def _front(self) -> Front:
        """Only the active node answers 200."""
        ca = (self._state.certs / "ca.pem").resolve()
        how = f"check-ssl check-sni localhost verify required verifyhost localhost ca-file {ca}"
        members = {
            place.folder: (f"{place.address}:{self._state.ports.member(_ENGINE, place.number)[0]}", how)
            for place in self._places()
        }
        check = ("option httpchk GET /v1/sys/health", "http-check expect status 200")
        return Front(name="vault", port=self._state.ports.hcvault, check=check, members=members)
