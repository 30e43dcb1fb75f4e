"""What each identity of the vault service may do at the transit engine (services/vault/transit/engine.py)."""

from collections.abc import Mapping
from dataclasses import dataclass

KEYS = ("card", "cvv", "sealing")
CVV_ROTATION = "1h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A path under the mount, what may be done there, and the only parameters that may be sent if not all may."""

    path: str
    capability: str = "update"
    parameters: tuple[str, ...] = ()


# update without create: a call with the name of a key that does not exist must not make one.
IDENTITIES: Mapping[str, tuple[Rule, ...]] = {
    "intake": (Rule(path="encrypt/card"), Rule(path="encrypt/cvv")),
    "reveal": (Rule(path="decrypt/card"), Rule(path="decrypt/cvv")),
    # Opens cards for charging, and seals what is its own: the gateways' keys and its chains of the audit trail.
    # Encrypts no card and rotates nothing.
    "charging": (
        Rule(path="decrypt/card"),
        Rule(path="decrypt/cvv"),
        Rule(path="encrypt/sealing"),
        Rule(path="decrypt/sealing"),
    ),
    "sealing": (Rule(path="encrypt/sealing"), Rule(path="decrypt/sealing")),
    "rotation": tuple(
        rule
        for key in KEYS
        for rule in (
            Rule(path=f"rewrap/{key}"),
            Rule(path=f"keys/{key}", capability="read"),
            Rule(path=f"keys/{key}/rotate"),
            Rule(path=f"keys/{key}/trim"),
            # The limits only: `exportable` can be turned on by whoever may configure a key, and never off again.
            Rule(path=f"keys/{key}/config", parameters=("min_decryption_version", "min_encryption_version")),
        )
    ),
}


def policy_text(identity: str, mount: str) -> str:
    """The policy of an identity in Vault's language (HCL)."""
    return "\n".join(_stanza(rule, mount) for rule in IDENTITIES[identity])


def _stanza(rule: Rule, mount: str) -> str:
    allowed = "".join(f'    "{name}" = []\n' for name in rule.parameters)
    only = f"  allowed_parameters = {{\n{allowed}  }}\n" if allowed else ""
    return f'path "{mount}/{rule.path}" {{\n  capabilities = ["{rule.capability}"]\n{only}}}\n'
