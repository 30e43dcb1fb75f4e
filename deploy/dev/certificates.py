"""Makes the development authority, a certificate for every identity, and the letter keys.

    python -m deploy.dev.certificates [--state var] [--rotate NAME]

Safe to run again: it keeps what is good, and renews a certificate that ends within 30 days, whose authority is another
one, or whose names differ from what they should be. Running servers pick up renewed files at the next handshake (O5).
"""

import argparse
import datetime as dt
import ipaddress
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from chassis.clock import Clock, SystemClock
from deploy.dev import letter_keys
from deploy.dev.state import State
from deploy.files import PRIVATE_FILE, PUBLIC_FILE, private_directory, write_file

DOMAIN = "wayvault.internal"
IDENTITIES = ("vault", "crm", "portal", "frame", "phone", "operator", "notifier", "postgres", "rabbitmq", "hcvault")
# Identities that only ever call; the others also listen, on this machine under these names.
CALLERS = frozenset({"operator"})
_LISTEN_NAMES: tuple[x509.GeneralName, ...] = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
)
CA_LIFE = dt.timedelta(days=10 * 365)
LEAF_LIFE = dt.timedelta(days=397)
RENEW_BEFORE_END = dt.timedelta(days=30)
_CLOCK_SKEW = dt.timedelta(minutes=10)


class CertificateFault(Exception):
    """Something that the person has to mend; the message says what and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run changed: names of certificates and files of keys, for the person to read."""

    certificates: list[str]
    keys: list[str]


def ensure(state: State, *, rotate: str = "", clock: Clock | None = None) -> Outcome:
    """Makes or renews what needs it; `rotate` names one identity whose certificate is replaced in any case.

    Raises CertificateFault for an unknown identity or an authority that can't be read.
    """
    if rotate and rotate not in IDENTITIES:
        raise CertificateFault(f"There is no identity {rotate!r}. There are: {', '.join(IDENTITIES)}.")
    now = (clock or SystemClock()).now()
    private_directory(state.certs)
    made: list[str] = []
    authority = _load_authority(state.certs)
    if authority is None or authority.certificate.not_valid_after_utc - now < LEAF_LIFE:
        authority = _new_authority(state.certs, now)
        made.append("ca")
    for identity in IDENTITIES:
        if identity == rotate or not _is_good(state.certs, identity, authority, now):
            _issue(state.certs, identity, authority, now)
            made.append(identity)
    return Outcome(certificates=made, keys=letter_keys.ensure(state.secrets))


def ensure_for_names(state: State, name: str, hosts: Sequence[str]) -> bool:
    """Keeps `<certs>/<name>.pem` a good server certificate for these host names; tells whether it made one.

    Raises CertificateFault when there is no authority yet (`ensure` makes it).
    """
    authority = _load_authority(state.certs)
    if authority is None:
        raise CertificateFault(f"There is no authority in {state.certs}. `make certificates` makes it.")
    now, names = SystemClock().now(), [x509.DNSName(host) for host in hosts]
    if _is_good(state.certs, name, authority, now, names):
        return False
    _issue(state.certs, name, authority, now, names)
    return True


def _load_authority(directory: Path) -> Authority | None:
    certificate_file, key_file = directory / "ca.pem", directory / "ca.key"
    if not (certificate_file.exists() and key_file.exists()):
        return None
    try:
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    except (OSError, ValueError) as error:
        raise CertificateFault(
            f"The development authority in {directory} can't be read ({type(error).__name__}). "
            f"Remove {certificate_file} and {key_file} and run this again; every certificate is then made anew."
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise CertificateFault(f"{key_file} does not belong to {certificate_file}. Remove both and run this again.")
    return Authority(key=key, certificate=certificate)


def _new_authority(directory: Path, now: dt.datetime) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Wayvault development"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Wayvault development authority {now:%Y-%m-%d %H:%M:%S}"),
        ]
    )
    certificate = (
        _builder(name, name, key.public_key(), now, CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    # The key first: a certificate without its key is an authority that has to be thrown away.
    write_file(directory / "ca.key", _pem(key))
    write_file(directory / "ca.pem", certificate.public_bytes(serialization.Encoding.PEM), mode=PUBLIC_FILE)
    return Authority(key=key, certificate=certificate)


def _issue(
    directory: Path,
    identity: str,
    authority: Authority,
    now: dt.datetime,
    names: Sequence[x509.GeneralName] | None = None,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity)])
    certificate = (
        _builder(subject, authority.certificate.subject, key.public_key(), now, LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName(names or names_of(identity)), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    write_file(directory / f"{identity}.key", _pem(key))
    write_file(directory / f"{identity}.pem", certificate.public_bytes(serialization.Encoding.PEM), mode=PUBLIC_FILE)


def names_of(identity: str) -> list[x509.GeneralName]:
    """The subject alternative names of an identity: its own first, then this machine's if it listens."""
    own: list[x509.GeneralName] = [x509.DNSName(f"{identity}.{DOMAIN}")]
    return own if identity in CALLERS else [*own, *_LISTEN_NAMES]


def _is_good(
    directory: Path,
    identity: str,
    authority: Authority,
    now: dt.datetime,
    wanted: Sequence[x509.GeneralName] | None = None,
) -> bool:
    certificate_file, key_file = directory / f"{identity}.pem", directory / f"{identity}.key"
    try:
        key_file.chmod(PRIVATE_FILE)
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        certificate.verify_directly_issued_by(authority.certificate)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return (
        certificate.not_valid_after_utc - now > RENEW_BEFORE_END
        and key.public_key() == certificate.public_key()
        and list(names) == list(wanted or names_of(identity))
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: dt.datetime,
    life: dt.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + life)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.dev.certificates", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--state", type=Path, help="state directory (default: WAYVAULT_STATE or var)")
    parser.add_argument("--rotate", default="", metavar="NAME", help="replace this identity's certificate now")
    given = parser.parse_args(arguments)
    try:
        state = State.from_environment()
        if given.state:
            state = State(root=given.state, ports=state.ports)
        outcome = ensure(state, rotate=given.rotate)
    except (CertificateFault, ValueError, OSError) as fault:
        print(fault, file=sys.stderr)
        return 1
    if outcome.certificates:
        print(f"certificates made in {state.certs}: {', '.join(outcome.certificates)}")
    for path in outcome.keys:
        print(f"key made: {path}")
    if not outcome.certificates and not outcome.keys:
        print(f"certificates in {state.certs} and keys in {state.secrets} are good; nothing to do")
    return 0


if __name__ == "__main__":
    sys.exit(main())
