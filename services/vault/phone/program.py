"""The masker's process: media on one thread, gRPC on others, nothing on any disk."""

import ctypes
import resource
import sys
import threading
import time
from typing import Final

import structlog

from chassis import health
from chassis.clock import SystemClock
from chassis.lifecycle import run_until_stopped
from chassis.rpc import make_server
from chassis.telemetry import Gauge
from protos.wayvault.phone.v1 import phone_pb2_grpc
from services.vault.phone.authz import ALLOW
from services.vault.phone.calls.masker import Masker
from services.vault.phone.calls.media import Media
from services.vault.phone.capture.rpc import PhoneCaptureRpc, Readiness
from services.vault.phone.capture.service import Sessions
from services.vault.phone.capture.vault_grpc import VaultIntake, VaultTrail, VaultWatch
from services.vault.phone.config import PhoneSettings

_log = structlog.get_logger("phone")
_PR_SET_DUMPABLE: Final = 4
# Threads that answer the CRM must not hold the media thread up for Python's usual 5 ms.
_SWITCH_SECONDS: Final = 0.0005

_LATENESS: Final = Gauge("wayvault_phone_beat_lateness_seconds", "How late the sound of 99 of 100 beats leaves.")
_CALLS: Final = Gauge("wayvault_phone_calls", "Calls whose sound passes through the masker.")


def keep_no_core() -> None:
    """Digits live in this process's memory: no core file of it is written, no debugger of the same user reads it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def run(settings: PhoneSettings) -> None:
    """Runs until it is told to stop. Raises OSError when a port is taken."""
    keep_no_core()
    sys.setswitchinterval(_SWITCH_SECONDS)
    clock = SystemClock()
    media = Media(
        ng_listen=settings.ng_listen,
        address=settings.media_address,
        bound=settings.media_listen,
        first_port=settings.media_first_port,
        last_port=settings.media_last_port,
    )
    store = VaultIntake(settings.vault_address, settings.tls, settings.vault_server_name)
    trail = VaultTrail(settings.vault_address, settings.tls, settings.vault_server_name)
    sessions = Sessions(media=media, store=store, trail=trail, monotonic=time.monotonic, today=clock.now)
    masker = Masker(media.network, sessions, most_calls=settings.most_calls)
    readiness = Readiness(clock, lambda: media.kamailio_at, lambda: masker.checked_at, lambda: len(masker.calls))
    vault = VaultWatch(settings.vault_address, settings.tls, settings.vault_server_name, lambda: sessions.under_way)

    def silent() -> list[str]:
        answers = {"exchange": media.kamailio_answers(), "vault": vault.answers}
        return [name for name, answering in answers.items() if not answering]

    def exchange() -> None:
        if not media.kamailio_answers() or media.kamailio_at is None:
            raise health.NotReady("it does not ask")

    servicer = PhoneCaptureRpc(sessions, readiness, silent)
    services = [(phone_pb2_grpc.add_PhoneCaptureServicer_to_server, servicer)]
    server = make_server(settings.listen, settings.tls, ALLOW, services, max_workers=settings.threads, reuse_port=False)
    _LATENESS.set_function(lambda: media.lateness.percentile(0.99))
    _CALLS.set_function(lambda: len(masker.calls))
    health.serve_status(settings.metrics_listen, health.Readiness({"vault": vault.demand, "exchange": exchange}))
    _log.info("phone.serving", listen=settings.listen, ng=settings.ng_listen, most_calls=settings.most_calls)

    def relay(stop: threading.Event) -> None:
        media.run(masker, sessions.tick, stop)

    try:
        run_until_stopped(
            [
                ("media", relay),
                ("rpc", server.run),
                ("sessions", sessions.run),
                ("trail", trail.run),
                ("vault", vault.run),
            ]
        )
    finally:
        store.close()
