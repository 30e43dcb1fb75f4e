"""Audit rows as events of the Open Cybersecurity Schema Framework (OCSF 1.3, class API Activity), for a SIEM. Pure.

| of the row | in OCSF |
|---|---|
| action | api.operation; its last word gives activity_id (create, read, update, delete, other) |
| result | status_id 1 success, 2 failure; severity_id 1 informational, 3 medium |
| actor (the service), agent_id | api.service.name, actor.user.uid (the service where no agent acted) |
| resource | resources[0].uid |
| ip, user_agent | src_endpoint.ip (src_endpoint.name, the service, where none is known), http_request.user_agent |
| at | time, in milliseconds since 1970 |
| chain_id, sequence | metadata.uid, the same for the same row however often it is exported |
| reason | status_detail |
| card_token, key_id, prev_mac, mac | unmapped |

Tokens are no card data: they open nothing outside of the vault.
"""

import json
from typing import Any, Final

from services.vault.audit.rules import AuditRecord

_VERSION: Final = "1.3.0"
_CATEGORY: Final = 6
_CLASS: Final = 6003
_OTHER: Final = 99
_ACTIVITIES: Final = {
    **dict.fromkeys(("stored", "opened", "made", "sent", "code_sent", "requested", "enrolled", "asked"), 1),
    **dict.fromkeys(("revealed", "revealed_again", "described", "shown"), 2),
    **dict.fromkeys(("rotated", "retired", "rewrapped", "changed", "set", "approved", "declined"), 3),
    **dict.fromkeys(("removed", "lapsed", "purged", "destroyed", "trimmed"), 4),
}


def ocsf_event(record: AuditRecord) -> dict[str, Any]:  # Any: JSON
    """One row as one event; see the module."""
    entry = record.entry
    activity = _ACTIVITIES.get(entry.action.rpartition(".")[2], _OTHER)
    refused = entry.result == "refused"
    return {
        "category_uid": _CATEGORY,
        "class_uid": _CLASS,
        "activity_id": activity,
        "type_uid": _CLASS * 100 + activity,
        "time": int(record.at.timestamp() * 1000),
        "severity_id": 3 if refused else 1,
        "status_id": 2 if refused else 1,
        "status_detail": entry.reason,
        "api": {"operation": entry.action, "service": {"name": entry.actor}},
        "actor": {"user": {"uid": entry.agent_id or entry.actor}},
        "src_endpoint": {"ip": entry.ip} if entry.ip else {"name": entry.actor},
        "http_request": {"user_agent": entry.user_agent},
        "resources": [{"uid": entry.resource}],
        "metadata": {
            "version": _VERSION,
            "uid": f"{record.chain_id}/{record.sequence}",
            "log_name": "wayvault-audit",
            "product": {"name": "Wayvault vault", "vendor_name": "Wayvault"},
        },
        "unmapped": {
            "card_token": entry.card_token or "",
            "key_id": record.key_id,
            "prev_mac": record.prev_mac,
            "mac": record.mac,
        },
    }


def ocsf_line(record: AuditRecord) -> str:
    """As a line of JSON."""
    return json.dumps(ocsf_event(record), ensure_ascii=True)
