"""Who may call the masker: one line per method, by the client certificate's SAN. Whatever is not here is denied."""

from typing import Final

from chassis.rpc import AllowList
from chassis.rpc.server import HEALTH_ENTRIES

_CRM: Final = frozenset({"crm"})
_V1: Final = "/wayvault.phone.v1.PhoneCapture/"

ALLOW: Final = AllowList(
    {
        _V1 + "OpenSession": _CRM,
        _V1 + "WatchSession": _CRM,
        _V1 + "CaptureField": _CRM,
        _V1 + "GiveUpField": _CRM,
        _V1 + "FinishSession": _CRM,
        _V1 + "CancelSession": _CRM,
        _V1 + "GetReadiness": _CRM,
        **HEALTH_ENTRIES,
    }
)
