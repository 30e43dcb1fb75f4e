"""The three files of one identity, and credentials made from them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from chassis.certificates import watch_days_left


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files: the authority both sides trust, the own certificate chain, its private key."""

    ca: Path
    cert: Path
    key: Path

    def read(self) -> tuple[bytes, bytes, bytes]:
        """CA, certificate, key; from now on their days are in the metrics. Raises OSError when one can't be read."""
        watch_days_left((self.ca, self.cert))
        return self.ca.read_bytes(), self.cert.read_bytes(), self.key.read_bytes()

    def read_whole(self) -> tuple[bytes, bytes, bytes]:
        """As `read`; raises HalfReplaced while somebody replaces the files one after another."""
        ca, cert, key = self.read()
        try:
            first = x509.load_pem_x509_certificate(cert)
            private = serialization.load_pem_private_key(key, password=None)
            x509.load_pem_x509_certificates(ca)
        except (ValueError, TypeError) as error:
            raise HalfReplaced(str(self.cert)) from error
        if first.public_key() != private.public_key():
            raise HalfReplaced(str(self.cert))
        return ca, cert, key

    def fingerprint(self) -> tuple[int, ...]:
        """Changes when any of the files is replaced. Raises OSError when one is not there."""
        return tuple(
            part
            for status in (self.ca.stat(), self.cert.stat(), self.key.stat())
            for part in (status.st_mtime_ns, status.st_ino)
        )


class HalfReplaced(OSError):
    """Certificate and key do not belong together: the next look, a moment later, finds both new."""


def client_credentials(files: TlsFiles) -> grpc.ChannelCredentials:
    """Credentials that present the own certificate and trust only our authority."""
    ca, cert, key = files.read_whole()
    return grpc.ssl_channel_credentials(root_certificates=ca, private_key=key, certificate_chain=cert)


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """Credentials that demand a client certificate, and pick up replaced files at the next handshake (O5)."""
    loaded = {"fingerprint": files.fingerprint()}

    def config() -> grpc.ServerCertificateConfiguration:
        ca, cert, key = files.read_whole()
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
