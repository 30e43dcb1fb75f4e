"""The vault's real server processes for a measurement: `services.vault serve`, several on one port."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from chassis import errors
from chassis.rpc import Caller, TlsFiles, open_channel
from deploy.dev import certificates
from deploy.dev.state import Ports, State
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc as rpc
from tests.bench.vault_callers import AGENCY, AGENT, SERVER_NAME

_READY_SECONDS = 60.0


class ServerFault(RuntimeError):
    """The server does not start; the text holds the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultPlace:
    """A state directory with certificates and keys, and the address of the servers that use it."""

    folder: Path
    address: str
    environment: Mapping[str, str]

    @classmethod
    def make(cls, folder: Path, settings: Mapping[str, str]) -> "VaultPlace":
        """`settings`: the engines, as VAULT_… variables."""
        certificates.ensure(State(root=folder, ports=Ports()))
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("VAULT_")}
        ours = {"VAULT_STATE_DIR": str(folder), "VAULT_LISTEN": address, "VAULT_VAULT_ADDRESS": address}
        return cls(folder=folder, address=address, environment={**inherited, **ours, **settings})

    def run(self, *arguments: str) -> None:
        """Runs an operator's command. Raises ServerFault."""
        command = [sys.executable, "-m", "services.vault", *arguments]
        done = subprocess.run(command, env={**self.environment}, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ServerFault((done.stdout + done.stderr).strip()[-1500:])

    @contextmanager
    def serving(self, processes: int) -> Iterator[list[int]]:
        """Migrates, starts that many server processes, waits for them and enrols the agent. Gives their pids."""
        self.run("migrate")
        with ExitStack() as stack:
            pids = [stack.enter_context(self._process(number)) for number in range(processes)]
            self._wait_until_served()
            self.run(
                "enroll-agent",
                *("--agent-id", AGENT, "--agency-id", AGENCY, "--name", "Bench", "--email", "bench@harbour.example"),
            )
            yield pids

    @contextmanager
    def _process(self, number: int) -> Iterator[int]:
        with (self.folder / f"serve-{number}.log").open("wb") as log:
            command = [sys.executable, "-m", "services.vault", "serve"]
            process = subprocess.Popen(command, env={**self.environment}, stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _wait_until_served(self) -> None:
        certs = self.folder / "certs"
        files = TlsFiles(ca=certs / "ca.pem", cert=certs / "frame.pem", key=certs / "frame.key")
        ends = time.monotonic() + _READY_SECONDS
        pause = threading.Event()
        while True:
            with open_channel(self.address, files, SERVER_NAME) as channel:
                try:
                    Caller(channel).call(rpc.CardFrameStub(channel).GetSealingKey, pb.GetSealingKeyRequest(), 2.0)
                    return
                except errors.WayvaultError:
                    if time.monotonic() > ends:
                        log = (self.folder / "serve-0.log").read_text("utf-8", errors="replace")
                        raise ServerFault(f"the vault does not answer:\n{log[-1500:]}") from None
            pause.wait(0.1)
