"""The frame host's way to the sealing key: a gRPC call with the frame's own certificate, kept for a short while."""

import json
import threading
import time
from collections.abc import Mapping
from typing import Final

from chassis.rpc import Caller, TlsFiles, open_channel
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc

# A key is served for hours after a newer one exists, so pages may lag by this much.
_KEPT_SECONDS: Final = 30.0


class VaultSealingKeys:
    """Implements the frame's SealingKeySource."""

    def __init__(self, address: str, tls: TlsFiles, server_name: str) -> None:
        channel = open_channel(address, tls, server_name)
        self._caller = Caller(channel)
        self._stub = vault_pb2_grpc.CardFrameStub(channel)
        self._lock = threading.Lock()
        self._kept: tuple[float, Mapping[str, str]] | None = None

    def current_public_jwk(self) -> Mapping[str, str]:
        """The key to render now, with its `kid`. Raises WayvaultError when the vault is out of reach."""
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] > _KEPT_SECONDS:
                answer = self._caller.call(self._stub.GetSealingKey, pb.GetSealingKeyRequest(), timeout=3.0)
                self._kept = (time.monotonic(), {**json.loads(answer.public_jwk), "kid": answer.kid})
            return self._kept[1]

    def close(self) -> None:
        """Closes the channel."""
        self._caller.close()
