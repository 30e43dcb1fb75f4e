"""What must be so before a start: names, certificate, mail, clock, room on this machine. Each check changes nothing."""

import ctypes
import os
import shutil
import smtplib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from chassis.clock import Clock
from chassis.hardening import readable_swap
from deploy.compose.__main__ import Stack
from deploy.dev.engines.build_vault import can_be_had
from deploy.images.host import ContainerFault, Containers
from deploy.install.answers import Answers

_SOON = timedelta(days=30)
_FREE_BYTES = 20 * 1024**3
_MEMORY_BYTES = 3 * 1024**3
_PATIENCE_SECONDS = 10.0
# adjtimex(2): its answer when the kernel knows of no source that keeps the clock right.
_TIME_ERROR = 5
_TIMEX_BYTES = 512


class Grade(StrEnum):
    OK = "ok"
    WARNING = "look at"
    FAULT = "FAULT"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `words` say what was found and, unless it is well, what to do."""

    grade: Grade
    what: str
    words: str


def examine(
    answers: Answers, state: Path, *, address: str, port: int, clock: Clock, runs: bool = False
) -> Iterator[Finding]:
    """Looks at everything, in the order in which it is mended. Yields each finding as soon as it is known.

    `runs` says that Wayvault itself has the port already: this is not the first run.
    """
    yield from _names(answers)
    yield certificate(answers, clock)
    yield mail(answers)
    yield time_is_kept()
    yield from _room(state)
    yield Finding(Grade.OK, f"port {port}", "is answered by Wayvault") if runs else _port(address, port)
    if answers.phone_address:
        yield _telephones(answers.phone_address)


def tools(stack: Stack) -> Iterator[Finding]:
    """What builds and runs containers, and the one program that Debian does not have; only when they are needed."""
    try:
        missing = stack.missing_images()
    except ContainerFault as fault:
        yield Finding(Grade.FAULT, "containers", str(fault))
        missing = ["hcvault"]
    else:
        yield Finding(Grade.OK, "containers", "podman and buildah are here")
    if "hcvault" in missing:
        words = (
            "there is no program `vault`, which its container is made of. Fetch it from "
            "developer.hashicorp.com/vault/install, and put it into /usr/local/bin."
        )
        there = can_be_had()
        yield Finding(Grade.OK if there else Grade.FAULT, "HashiCorp Vault", "is here" if there else words)


def _names(answers: Answers) -> Iterator[Finding]:
    for host in answers.hosts.values():
        try:
            found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)})
        except OSError:
            words = "no address is known for it. Let the domain's name server point it to this machine."
            yield Finding(Grade.FAULT, host, words)
        else:
            yield _leads(host, found)
    parents = {host.partition(".")[2] for host in (answers.crm_host, answers.portal_host)}
    if answers.card_host.partition(".")[2] in parents:
        words = "stands in the same domain as the other sites; on a domain of its own browsers keep it further apart."
        yield Finding(Grade.WARNING, answers.card_host, words)


def _leads(host: str, addresses: list[str]) -> Finding:
    there = ", ".join(addresses)
    if any(_is_ours(each) for each in addresses):
        return Finding(Grade.OK, host, f"leads to this machine, {there}")
    words = f"leads to {there}, which is no address of this machine: right only if what has it passes 443 on to here."
    return Finding(Grade.WARNING, host, words)


def certificate(answers: Answers, clock: Clock) -> Finding:
    """The sites' certificate: its key, its names, its days."""
    what = "certificate"
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(answers.certificate, answers.key)
        leaf = x509.load_pem_x509_certificates(Path(answers.certificate).read_bytes())[0]
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except ssl.SSLError:
        return Finding(Grade.FAULT, what, f"{answers.key} is not its key, or has a pass phrase.")
    except (OSError, ValueError, IndexError, x509.ExtensionNotFound) as error:
        words = f"{answers.certificate} can't be read as PEM with names ({type(error).__name__})."
        return Finding(Grade.FAULT, what, words)
    written = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    if missing := [host for host in answers.hosts.values() if not _covers(written, host)]:
        words = f"it is for {', '.join(written)}, not for {', '.join(missing)}. Order one that names all three sites."
        return Finding(Grade.FAULT, what, words)
    left = leaf.not_valid_after_utc - clock.now()
    if left <= timedelta(0) or leaf.not_valid_before_utc > clock.now():
        words = (
            f"it is good from {leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d}, not today."
        )
        return Finding(Grade.FAULT, what, words)
    if left < _SOON:
        return Finding(Grade.WARNING, what, f"it ends in {left.days} days. Renew it, then run this again.")
    return Finding(Grade.OK, what, f"names all three sites and is good for {left.days} days")


def _covers(names: list[str], host: str) -> bool:
    """RFC 6125 §6.4.3: a wildcard stands for one whole label, the first."""
    return host in names or f"*.{host.partition('.')[2]}" in names


def mail(answers: Answers) -> Finding:
    """Whether the mail server can be reached and lets us in; no mail is sent."""
    what = f"mail server {answers.mail_host}:{answers.mail_port}"
    context, port = ssl.create_default_context(), int(answers.mail_port)
    try:
        if answers.mail_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(answers.mail_host, port, timeout=_PATIENCE_SECONDS, context=context)
        else:
            server = smtplib.SMTP(answers.mail_host, port, timeout=_PATIENCE_SECONDS)
        with server:
            if answers.mail_security == "starttls":
                server.starttls(context=context)
            if answers.mail_user:
                server.login(answers.mail_user, answers.mail_password)
            server.noop()
    except smtplib.SMTPAuthenticationError:
        return Finding(Grade.FAULT, what, "it does not accept the user name and password.")
    except smtplib.SMTPNotSupportedError:
        return Finding(Grade.FAULT, what, "it offers no STARTTLS, or no sign-in. Ask whoever runs it which port does.")
    except ssl.SSLError as error:
        return Finding(Grade.FAULT, what, f"its certificate or its TLS is not accepted: {error.reason or error}.")
    except (smtplib.SMTPException, OSError) as error:
        return Finding(Grade.FAULT, what, f"it can't be reached ({error}). Check name, port and firewall.")
    if answers.mail_security == "none":
        return Finding(Grade.WARNING, what, "it answers, but mail leaves this machine unencrypted.")
    return Finding(Grade.OK, what, "answers and lets us in")


def time_is_kept() -> Finding:
    """Whether the kernel's clock follows a source: one-time codes and audit need the right time."""
    what = "clock"
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        state = -1
    if state == _TIME_ERROR:
        words = "nothing keeps it right. Install chrony (apt-get install chrony), or see to the host's clock."
        return Finding(Grade.WARNING, what, words)
    if state < 0:
        return Finding(Grade.WARNING, what, "whether something keeps it right can't be found out here.")
    return Finding(Grade.OK, what, "is kept by a time source")


def _room(state: Path) -> Iterator[Finding]:
    # What the programs keep lies with their images.
    places = [_existing(state), _existing(Containers().root)]
    for there in {place.stat().st_dev: place for place in reversed(places)}.values():
        free = shutil.disk_usage(there).free
        grade = Grade.OK if free >= _FREE_BYTES else Grade.FAULT
        yield Finding(grade, "disk", f"{free // 1024**3} GB free at {there}" + _unless(grade, "; 20 GB are needed."))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    grade = Grade.OK if memory >= _MEMORY_BYTES else Grade.FAULT
    yield Finding(grade, "memory", f"{memory / 1024**3:.1f} GB" + _unless(grade, "; 4 GB are needed."))
    if swap := readable_swap():
        words = (
            f"is on ({', '.join(swap)}): cards in the vault's memory could reach a disk, so the vault would not start. "
            "Turn it off: swapoff -a, and take it out of /etc/fstab."
        )
        yield Finding(Grade.FAULT, "swap", words)
    else:
        yield Finding(Grade.OK, "swap", "is off, or can't be read from a disk")


def _existing(path: Path) -> Path:
    """The path, or the first above it that is there already."""
    return next(each for each in (path.resolve(), *path.resolve().parents) if each.exists())


def _unless(grade: Grade, words: str) -> str:
    return "" if grade is Grade.OK else words


def _telephones(address: str) -> Finding:
    what = f"telephones' address {address}"
    if not _is_ours(address):
        return Finding(Grade.FAULT, what, "is no address of this machine; `ip -4 address` lists them.")
    return Finding(Grade.OK, what, "is this machine's; let UDP 5060 and 30000 to 30999 through the firewall")


def _is_ours(address: str) -> bool:
    """Whether this machine has the address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asked:
        try:
            asked.bind((address, 0))
        except OSError:
            return False
    return True


def _port(address: str, port: int) -> Finding:
    what = f"port {port}"
    try:
        with socket.create_server((address, port)):
            pass
    except OSError as error:
        words = f"can't be opened ({error.strerror}). `ss -ltnp` names who has it; below 1024 it takes root."
        return Finding(Grade.FAULT, what, words)
    return Finding(Grade.OK, what, "is free")
