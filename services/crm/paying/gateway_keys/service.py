"""Use cases of the gateway's keys (G3): what is set, whether the gateway accepts it, and entering others.

The keys are sealed in the admin's browser to the vault's zone; nothing here can read them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from chassis.errors import WayvaultError
from services.crm.access.agency.service import Directory
from services.crm.core.actor import Actor
from services.crm.core.ports.charging import OPERATOR, ChargingPort, GatewayDetail, KeyEntry
from services.crm.core.ports.vault import Origin
from services.crm.paying.gateway_keys.rules import lacking


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayShown:
    """What an admin reads. `set_by`: a name. `problem` says why charging could not be asked."""

    gateway: GatewayDetail | None = None
    # What each gateway can't do here, in words, by its name; of those that can do everything nothing.
    lacks: Mapping[str, str] = field(default_factory=dict)
    set_by: str = ""
    problem: str = ""


class GatewayKeys:
    """For admins alone: every method raises PermissionDenied for agents."""

    def __init__(self, *, port: ChargingPort, directory: Directory) -> None:
        self._port = port
        self._directory = directory

    def of(self, actor: Actor) -> GatewayShown:
        """The agency's gateway, as charging has it."""
        actor.demand_admin()
        try:
            found = self._port.gateway_of(actor.agency_id)
            lacks = {kind.name: words for kind in self._port.gateways() if (words := lacking(kind))}
        except WayvaultError as error:
            return GatewayShown(problem=error.message)
        return GatewayShown(gateway=found, lacks=lacks, set_by=self._name_of(actor, found.set_by) if found else "")

    def check(self, actor: Actor) -> GatewayDetail:
        """Asks the gateway now. Raises WayvaultError."""
        actor.demand_admin()
        return self._port.check_gateway(actor.agency_id)

    def open(self, actor: Actor, gateway: str, *, origin: Origin) -> str:
        """A slot for this admin, whom the caller has asked for a fresh code; gives its id. Raises WayvaultError."""
        actor.demand_admin()
        return self._port.open_key_entry(actor.agency_id, actor.agent_id, gateway, origin=origin)

    def enter(self, actor: Actor, entry_id: str, *, sealed: str, origin: Origin) -> GatewayDetail:
        """Passes on what the frame sealed; sent once more, it changes nothing. Raises WayvaultError."""
        actor.demand_admin()
        entry = KeyEntry(agency_id=actor.agency_id, agent_id=actor.agent_id, entry_id=entry_id, sealed=sealed)
        key = hashlib.sha256(sealed.encode()).hexdigest()
        return self._port.enter_key(entry, idempotency_key=key, origin=origin)

    def _name_of(self, actor: Actor, set_by: str) -> str:
        if set_by == OPERATOR:
            return "The operator"
        return next((one.name for one in self._directory.agents(actor) if one.id == set_by), "A former colleague")
