"""The three files of one identity, and credentials made from them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files: the authority both sides trust, the own certificate chain, its private key."""

    ca: Path
    cert: Path
    key: Path

    def read(self) -> tuple[bytes, bytes, bytes]:
        """CA, certificate, key. Raises OSError when one can't be read."""
        return self.ca.read_bytes(), self.cert.read_bytes(), self.key.read_bytes()

    def fingerprint(self) -> tuple[int, ...]:
        """Changes when any of the files is replaced."""
        return tuple(path.stat().st_mtime_ns for path in (self.ca, self.cert, self.key))


def client_credentials(files: TlsFiles) -> grpc.ChannelCredentials:
    """Credentials that present the own certificate and trust only our authority."""
    ca, cert, key = files.read()
    return grpc.ssl_channel_credentials(root_certificates=ca, private_key=key, certificate_chain=cert)


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """Credentials that demand a client certificate, and pick up replaced files at the next handshake (O5)."""
    loaded = {"fingerprint": files.fingerprint()}

    def config() -> grpc.ServerCertificateConfiguration:
        ca, cert, key = files.read()
        return grpc.ssl_server_certificate_configuration([(key, cert)], root_certificates=ca)

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        # A half-written set must not end the listener: the old certificate serves until the new one is readable.
        try:
            fingerprint = files.fingerprint()
            if fingerprint == loaded["fingerprint"]:
                return None
            fresh = config()
        except OSError:
            return None
        loaded["fingerprint"] = fingerprint
        return fresh

    # The stubs deny it, but None is gRPC's documented "keep what you have".
    fetcher: Any = fetch
    return grpc.dynamic_ssl_server_credentials(config(), fetcher, require_client_authentication=True)
