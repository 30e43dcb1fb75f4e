"""Who may call which method of charging; whatever is not here is denied."""

from typing import Final

from chassis.rpc import AllowList
from chassis.rpc.server import HEALTH_ENTRIES

_CRM: Final = frozenset({"crm"})
_OPERATOR: Final = frozenset({"operator"})
_V1: Final = "/wayvault.vault.v1.Charging/"

ALLOW: Final = AllowList(
    {
        _V1 + "Charge": _CRM,
        _V1 + "Refund": _CRM,
        _V1 + "Void": _CRM,
        _V1 + "EndMandate": _CRM,
        _V1 + "Status": _CRM,
        _V1 + "ListReasons": _CRM,
        _V1 + "ListGateways": _CRM,
        _V1 + "Ledger": _CRM,
        _V1 + "Payouts": _CRM,
        _V1 + "TakeNotice": _CRM,
        _V1 + "DescribeGateway": _CRM,
        _V1 + "CheckGateway": _CRM,
        _V1 + "OpenKeyEntry": _CRM,
        _V1 + "EnterGatewayKey": _CRM,
        _V1 + "SetGatewayKey": _OPERATOR,
        **HEALTH_ENTRIES,
    }
)
