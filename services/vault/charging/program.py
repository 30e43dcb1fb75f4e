"""The process of charging: its gRPC door, its poller, and what it tells operators."""

import structlog

from chassis.health import serve_status
from chassis.lifecycle import every, run_until_stopped
from services.vault.charging.bootstrap import Charging, open_server
from services.vault.charging.metrics import measure
from services.vault.config import VaultSettings

_SETTLE_SECONDS = 5.0
_AUDIT_KEY_SECONDS = 60.0
_MEASURE_SECONDS = 15.0


def run(charging: Charging, settings: VaultSettings) -> None:
    """Runs until SIGTERM or SIGINT; raises SystemExit(1) when a loop dies."""
    tls = settings.tls_of("charging")
    rpc = open_server(charging, settings.charging_listen, tls, workers=settings.workers)
    serve_status(settings.charging_metrics_listen, charging.readiness())
    structlog.get_logger("vault").info(
        "charging.serving", listen=settings.charging_listen, hosts=settings.gateway_hosts
    )
    try:
        run_until_stopped(
            [
                ("rpc", rpc.run),
                ("audit_key", every(_AUDIT_KEY_SECONDS, charging.audit.prepare, "audit_key")),
                ("settling", every(_SETTLE_SECONDS, charging.settling.run, "settling")),
                ("measure", every(_MEASURE_SECONDS, lambda: measure(charging.database, charging.clock), "measure")),
            ]
        )
    finally:
        charging.close()
