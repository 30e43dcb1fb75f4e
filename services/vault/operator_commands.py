"""The operator's commands: each speaks gRPC with the operator's certificate, says what it did and what to do next."""

import argparse
import getpass
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc

from chassis.commands import DONE, FOUND, NOT_DONE, add_check, add_command
from chassis.errors import WayvaultError
from chassis.progress import at_work
from chassis.rpc import Caller, demand_serving, open_channel
from protos.wayvault.vault.v1 import charging_pb2
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1.charging_pb2_grpc import ChargingStub
from protos.wayvault.vault.v1.vault_pb2_grpc import VaultAdminStub
from services.vault.config import VaultSettings

# Rewrapping and verifying read everything there is.
_LONG = 3600.0
_EVERY_KEY = ("card", "cvv", "sealing")
_ANY = TypeVar("_ANY")
# What a command would do, in a sentence.
Would = Callable[[argparse.Namespace], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """An open line to the vault, and the command's arguments."""

    caller: Caller
    stub: VaultAdminStub
    charging: ChargingStub
    given: argparse.Namespace

    def ask(self, method: "grpc.UnaryUnaryMultiCallable[Any, _ANY]", request: object, timeout: float = 5.0) -> _ANY:
        """The answer; says that it is waited for when that takes long. Raises WayvaultError."""
        with at_work(self.given.command):
            return self.caller.call(method, request, timeout=timeout)


def add_operator_commands(commands: Any) -> None:  # Any: argparse's private type of sub-parsers
    """Adds them to the program's commands."""
    enrol = _add(commands, "enroll-agent", "let an agent receive one-time codes (O11)", _enroll, would=_would_enroll)
    enrol.add_argument("--agent-id", required=True)
    enrol.add_argument("--agency-id", required=True)
    enrol.add_argument("--name", required=True, help="as their mails address them")
    enrol.add_argument("--email", required=True)
    change = _add(
        commands,
        "change-agent-email",
        "send an agent's codes to another address (O11)",
        _change_email,
        would=lambda given: f"One-time codes of agent {given.agent_id} would go to {given.email}.",
    )
    change.add_argument("--agent-id", required=True)
    change.add_argument("--email", required=True)
    approver = _add(
        commands,
        "set-approver",
        "let an agent approve their agency's second reveals (M9)",
        _set_approver,
        would=lambda given: f"Agent {given.agent_id} would {'no longer ' if given.off else ''}approve second reveals.",
    )
    approver.add_argument("--agent-id", required=True)
    approver.add_argument("--off", action="store_true", help="no longer")
    rotate = _add(
        commands,
        "rotate-keys",
        "make new key versions (O6)",
        _rotate,
        would=lambda given: f"Would make a new version of {', '.join(given.keys or _EVERY_KEY)}.",
    )
    rotate.add_argument("keys", nargs="*", metavar="card|cvv|sealing", help="none = all")
    rewrap = _add(commands, "rewrap", "bring all cards to the newest key version (O6)", _rewrap, would=_would_rewrap)
    rewrap.add_argument("--trim", action="store_true", help="destroy the old versions for good")
    _add(
        commands,
        "purge",
        "remove what is past its time now",
        _purge,
        would=lambda _: "Would remove what is past its time; `retention-report` says what that is.",
    )
    gateway = _add(
        commands,
        "set-gateway-key",
        "give an agency's payment gateway its key",
        _set_gateway_key,
        would=lambda given: (
            f"Would ask for the {given.gateway} key of agency {given.agency_id}, and try it at the gateway."
        ),
        dial=_charging,
    )
    gateway.add_argument("--agency-id", required=True)
    gateway.add_argument(
        "--gateway",
        default="stripe",
        choices=("stripe", "authorizenet"),
        help="authorizenet keeps no cards, so there are no standing orders, and tells neither fees nor payouts",
    )
    _add(commands, "verify-audit", "prove that the audit trail is whole (O8)", _verify)


def _vault(settings: VaultSettings) -> grpc.Channel:
    return open_channel(settings.vault_address, settings.tls_of("operator"), settings.vault_server_name)


def _charging(settings: VaultSettings) -> grpc.Channel:
    return open_channel(settings.charging_address, settings.tls_of("operator"), settings.charging_server_name)


def _add(
    commands: Any,
    name: str,
    help_text: str,
    action: Callable[[_Line], int],
    *,
    would: Would | None = None,
    dial: Callable[[VaultSettings], grpc.Channel] = _vault,
) -> argparse.ArgumentParser:
    """What changes something says by `would` what."""
    parser = add_command(commands, name, help_text)
    if would is not None:
        add_check(parser)

    def run(settings: VaultSettings, given: argparse.Namespace) -> int:
        channel = dial(settings)
        caller = Caller(channel)
        try:
            settings.tls_of("operator").fingerprint()
            if would is not None and given.check:
                demand_serving(channel)
                print(f"{would(given)}\nThe vault answers. Next: the same without --check.")
                return DONE
            return action(
                _Line(caller=caller, stub=VaultAdminStub(channel), charging=ChargingStub(channel), given=given)
            )
        except WayvaultError as error:
            print(f"Not done: {error.message}", file=sys.stderr)
        except OSError as error:
            print(f"Not done: the operator's certificate can't be read ({error.strerror}).", file=sys.stderr)
        finally:
            caller.close()
        return NOT_DONE

    parser.set_defaults(run=run)
    return parser


def _key() -> str:
    return uuid.uuid4().hex


def _would_enroll(given: argparse.Namespace) -> str:
    return f"Agent {given.agent_id} would get one-time codes at {given.email}; who is enrolled keeps their address."


def _would_rewrap(given: argparse.Namespace) -> str:
    end = ", and destroy the versions before it for good" if given.trim else ""
    return f"Would bring all cards to the newest version of key card{end}."


def _enroll(line: _Line) -> int:
    given = line.given
    answer = line.ask(
        line.stub.EnrollAgent,
        pb.EnrollAgentRequest(
            idempotency_key=_key(),
            agent_id=given.agent_id,
            agency_id=given.agency_id,
            display_name=given.name,
            email=given.email,
        ),
    )
    when = answer.enrolled_at.ToDatetime().isoformat(sep=" ", timespec="seconds")
    print(f"Agent {given.agent_id} is enrolled (since {when} UTC). One-time codes go to {given.email}.")
    print("Next: they can retrieve cards that are theirs. Their address changes only by change-agent-email.")
    return DONE


def _change_email(line: _Line) -> int:
    given = line.given
    request = pb.ChangeAgentEmailRequest(idempotency_key=_key(), agent_id=given.agent_id, email=given.email)
    line.ask(line.stub.ChangeAgentEmail, request)
    print(f"One-time codes of agent {given.agent_id} go to {given.email} from now on.")
    print("Next: tell them, at an address or number you knew before, that it was changed.")
    return DONE


def _set_approver(line: _Line) -> int:
    given = line.given
    request = pb.SetApproverRequest(idempotency_key=_key(), agent_id=given.agent_id, approver=not given.off)
    line.ask(line.stub.SetApprover, request)
    if given.off:
        print(f"Agent {given.agent_id} approves no second reveals any more.")
        print("Next: an agency without another approver has none at all.")
        return DONE
    print(f"Agent {given.agent_id} may approve second reveals of their colleagues' cards, never of their own.")
    print("Next: their agency's admin allows them under Agency, Policies; they are off until then.")
    return DONE


def _rotate(line: _Line) -> int:
    request = pb.RotateKeysRequest(idempotency_key=_key(), keys=line.given.keys)
    answer = line.ask(line.stub.RotateKeys, request, timeout=30.0)
    for version in answer.versions:
        oldest = version.min_decryption_version
        print(f"Key {version.key}: version {version.latest_version} encrypts; versions from {oldest} on still open.")
    print("Next: `rewrap` brings the stored cards to the new version; `rewrap --trim` then destroys the old ones.")
    return DONE


def _rewrap(line: _Line) -> int:
    with at_work("rewrap"):
        for progress in line.caller.stream(line.stub.Rewrap, pb.RewrapRequest(trim=line.given.trim), timeout=_LONG):
            print(f"{progress.done} of {progress.total} rewrapped", flush=True)
            if progress.finished:
                key = progress.card_key
                print(f"Done. Key card: version {key.latest_version}; below {key.min_decryption_version} retired.")
    if line.given.trim:
        print("Next: make a backup at once; card data in those of before does not open any more.")
    else:
        print("Next: once backups made with the old versions may die, run `rewrap --trim`.")
    return DONE


def _purge(line: _Line) -> int:
    swept = line.ask(line.stub.PurgeExpired, pb.PurgeExpiredRequest(), timeout=120.0)
    print(f"Cards lapsed: {swept.cards_lapsed}. CVVs purged: {swept.cvvs_purged}.")
    print(f"Codes and links expired: {swept.challenges_expired}. Kept answers dropped: {swept.answers_dropped}.")
    print(f"Sealing keys destroyed: {swept.sealing_keys_destroyed}. The worker does all this each minute.")
    print("Next: `retention-report` says whether anything is overdue still.")
    return DONE


def _set_gateway_key(line: _Line) -> int:
    """Reads the key, and what the gateway signs its messages with, unseen, typed or from standard input (two lines);
    never from the command line, which others see."""
    given = line.given
    request = charging_pb2.SetGatewayKeyRequest(
        idempotency_key=_key(),
        agency_id=given.agency_id,
        gateway=given.gateway,
        key=_unseen("The gateway's secret key: "),
        signing_secret=_unseen("What it signs its messages (webhooks) with; empty keeps what is set: "),
    )
    answer = line.ask(line.charging.SetGatewayKey, request, timeout=120.0)
    mode = "LIVE: money moves" if answer.live else "TEST: no money moves"
    print(f"Agency {given.agency_id} charges through {answer.gateway} ({mode}).")
    print("The key is sealed and never shown again. Next: its agents can charge payments that are to the agency.")
    return DONE


def _unseen(question: str) -> str:
    return (getpass.getpass(question) if sys.stdin.isatty() else sys.stdin.readline()).strip()


def _verify(line: _Line) -> int:
    report = line.ask(line.stub.VerifyAudit, pb.VerifyAuditRequest(), timeout=_LONG)
    print(f"Read {report.rows} rows in {report.chains} chains, and {report.heads} signed heads.")
    for finding in report.findings:
        print(f"FOUND in chain {finding.chain_id or '(head file)'} at {finding.sequence}: {finding.problem}")
    if report.findings:
        print(
            "The trail was changed or is incomplete. Next: keep a copy of the database as it is, and have it examined "
            "before anybody goes on working with it."
        )
        return FOUND
    print("The trail is whole.")
    return DONE
