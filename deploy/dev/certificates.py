"""Makes the development authority, a certificate for every identity, and the letter keys.

    python -m deploy.dev.certificates [--state var] [--rotate NAME] [--authority begin|issue|finish] [--list] [--check]

Safe to run again: it keeps what is good, and renews a certificate that ends within 30 days, whose authority is another
one, or whose names differ from what they should be. Running servers pick up renewed files at the next handshake,
running clients at the next call (O5).

A new authority comes in three steps, with both trusted from the first to the last: `begin` (ca.pem gets the new one
beside the old), `issue` (every certificate anew, by the new one), `finish` (ca.pem keeps the new one alone). Between
two steps every machine must have the files of the step before.

Exit status: 0 done; 1 not done, the message says why; 2 wrong arguments; 3 one ends within 30 days (--list).
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

from chassis.certificates import days_left
from chassis.clock import Clock, SystemClock
from chassis.progress import at_work
from deploy.dev import letter_keys
from deploy.dev.state import State
from deploy.files import PRIVATE_FILE, PUBLIC_FILE, private_directory, write_file

DOMAIN = "wayvault.internal"
IDENTITIES = (
    "vault",
    "charging",
    "crm",
    "portal",
    "frame",
    "phone",
    "operator",
    "notifier",
    "postgres",
    "rabbitmq",
    "hcvault",
)
# Identities that only ever call; the others also listen, on this machine under these names.
CALLERS = frozenset({"operator"})
_LISTEN_NAMES: tuple[x509.GeneralName, ...] = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
)
STEPS = ("begin", "issue", "finish")
CA_LIFE = dt.timedelta(days=10 * 365)
LEAF_LIFE = dt.timedelta(days=397)
RENEW_BEFORE_END = dt.timedelta(days=30)
# Exit status of --list, for scripts.
_SOON = 3
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
    _demand_known(rotate)
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


def due(state: State, clock: Clock, *, rotate: str = "") -> list[str]:
    """What `ensure` would make or renew; nothing is changed. Raises CertificateFault as it does."""
    _demand_known(rotate)
    now, authority = clock.now(), _load_authority(state.certs)
    if authority is None or authority.certificate.not_valid_after_utc - now < LEAF_LIFE:
        return ["ca", *IDENTITIES]
    return [name for name in IDENTITIES if name == rotate or not _is_good(state.certs, name, authority, now)]


def _demand_known(rotate: str) -> None:
    if rotate and rotate not in IDENTITIES:
        raise CertificateFault(f"There is no identity {rotate!r}. There are: {', '.join(IDENTITIES)}.")


def change_authority(state: State, step: str, *, clock: Clock | None = None) -> Outcome:
    """One step of a change of the authority (see the module); each may be run again.

    Raises CertificateFault for a step out of its order.
    """
    now = (clock or SystemClock()).now()
    if not (state.certs / "ca.pem").exists():
        raise CertificateFault(f"There is no authority in {state.certs}. `make certificates` makes it.")
    roots = x509.load_pem_x509_certificates((state.certs / "ca.pem").read_bytes())
    next_key = state.certs / "ca-next.key"
    match step:
        case "begin" if len(roots) == 1:
            coming = _make_authority(now)
            write_file(next_key, _pem(coming.key))
            _write_roots(state.certs, [*roots, coming.certificate])
            return Outcome(certificates=["ca (the new one beside the old)"], keys=[])
        case "issue" if len(roots) == 2 and next_key.exists():
            # The one that signs stands first. A run that ended after this line is finished by the next.
            coming_key = serialization.load_pem_private_key(next_key.read_bytes(), password=None).public_key()
            _write_roots(state.certs, sorted(roots, key=lambda root: root.public_key() != coming_key))
            next_key.replace(state.certs / "ca.key")
            return ensure(state, clock=clock)
        case "issue" if len(roots) == 2:
            return ensure(state, clock=clock)
        case "finish" if len(roots) == 2 and not next_key.exists():
            authority = _load_authority(state.certs)
            assert authority is not None
            if late := [name for name in IDENTITIES if not _is_good(state.certs, name, authority, now)]:
                raise CertificateFault(f"Not yet by the new authority: {', '.join(late)}. Run the step issue first.")
            _write_roots(state.certs, roots[:1])
            return Outcome(certificates=["ca (the new one alone)"], keys=[])
        case "begin" | "issue" | "finish":
            raise CertificateFault(f"{step} is not the next step: ca.pem holds {len(roots)} authorities.")
    raise CertificateFault(f"There is no step {step!r}. There are: {', '.join(STEPS)}.")


def inventory(state: State, clock: Clock) -> list[tuple[str, float]]:
    """Each certificate file and the days until its first certificate ends, the most urgent first. Raises OSError and
    ValueError."""
    return sorted(
        ((path.name, days_left(path, clock)) for path in state.certs.glob("*.pem")), key=lambda entry: entry[1]
    )


def ensure_for_names(state: State, name: str, hosts: Sequence[str]) -> bool:
    """Keeps `<certs>/<name>.pem` a good certificate for these host names and addresses; returns whether it made one.

    Raises CertificateFault when there is no authority yet (`ensure` makes it).
    """
    authority = _load_authority(state.certs)
    if authority is None:
        raise CertificateFault(f"There is no authority in {state.certs}. `make certificates` makes it.")
    now, names = SystemClock().now(), [_general_name(host) for host in hosts]
    if _is_good(state.certs, name, authority, now, names):
        return False
    _issue(state.certs, name, authority, now, names)
    return True


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


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
    made = _make_authority(now)
    # The key first: a certificate without its key is an authority that has to be thrown away.
    write_file(directory / "ca.key", _pem(made.key))
    _write_roots(directory, [made.certificate])
    return made


def _write_roots(directory: Path, roots: Sequence[x509.Certificate]) -> None:
    """The authority that signs stands first."""
    content = b"".join(root.public_bytes(serialization.Encoding.PEM) for root in roots)
    write_file(directory / "ca.pem", content, mode=PUBLIC_FILE)


def _make_authority(now: dt.datetime) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Wayvault development"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Wayvault development authority {now:%Y-%m-%d %H:%M:%S.%f}"),
        ]
    )
    certificate = (
        _builder(name, name, key.public_key(), now, CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
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


def _show(state: State) -> int:
    found = inventory(state, SystemClock())
    for name, days in found:
        print(f"{name:24} {days:6.0f} days left")
    if found and found[0][1] < RENEW_BEFORE_END.days:
        print("Next: `make certificates` renews what ends within 30 days; running processes pick the files up.")
        return _SOON
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.dev.certificates",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--state", type=Path, help="state directory (default: WAYVAULT_STATE or var)")
    parser.add_argument("--rotate", default="", metavar="NAME", help="replace this identity's certificate now")
    parser.add_argument("--authority", choices=STEPS, help="the next step of a change of the authority")
    parser.add_argument("--list", action="store_true", help="only list them by days left; status 3 below 30 days")
    parser.add_argument("--check", action="store_true", help="change nothing, say which would be made")
    given = parser.parse_args(arguments)
    if given.check and given.authority:
        parser.error("--check belongs to issuing; a step of the authority says itself when it is out of order")
    try:
        state = State.from_environment()
        if given.state:
            state = State(root=given.state, ports=state.ports)
        if given.list:
            return _show(state)
        if given.check:
            would = due(state, SystemClock(), rotate=given.rotate)
            print(f"Would make in {state.certs}: {', '.join(would)}." if would else f"All in {state.certs} are good.")
            return 0
        with at_work("certificates"):
            outcome = (
                change_authority(state, given.authority) if given.authority else ensure(state, rotate=given.rotate)
            )
    except (CertificateFault, ValueError, OSError) as fault:
        print(fault, file=sys.stderr)
        return 1
    if outcome.certificates:
        print(f"certificates made in {state.certs}: {', '.join(outcome.certificates)}")
        print("Next: services take them up by themselves; `python -m deploy.dev.engines reload` tells the engines.")
    for path in outcome.keys:
        print(f"key made: {path}")
    if not outcome.certificates and not outcome.keys:
        print(f"certificates in {state.certs} and keys in {state.secrets} are good; nothing to do")
    return 0


if __name__ == "__main__":
    sys.exit(main())
