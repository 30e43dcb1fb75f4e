"""What gateways' codes mean, for pages that show the vault's trail, which has the codes alone."""

from collections.abc import Mapping

import structlog

from chassis.errors import WayvaultError
from services.crm.core.ports.charging import ChargingPort

_log = structlog.get_logger(__name__)


class ReasonWords:
    """Asks charging once in a process: what a code means changes with a release only."""

    def __init__(self, port: ChargingPort) -> None:
        self._port = port
        self._known: Mapping[str, str] = {}

    def of_codes(self) -> Mapping[str, str]:
        """The words of every code; nothing while charging can't be asked."""
        if not self._known:
            try:
                self._known = self._port.reasons()
            except WayvaultError as error:
                _log.warning("charging.no_reasons", cause=type(error).__name__)
        return self._known
