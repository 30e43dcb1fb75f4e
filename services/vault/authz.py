"""Who may call what: one line per method, by the client certificate's SAN. Whatever is not here is denied."""

from typing import Final

from chassis.rpc import AllowList
from chassis.rpc.server import HEALTH_ENTRIES

_PORTAL: Final = frozenset({"portal"})
_CRM: Final = frozenset({"crm"})
_OPERATOR: Final = frozenset({"operator"})
_FRAME: Final = frozenset({"frame"})
_PHONE: Final = frozenset({"phone"})

_V1: Final = "/wayvault.vault.v1."

ALLOW: Final = AllowList(
    {
        _V1 + "CardIntake/OpenIntake": _PORTAL | _PHONE,
        _V1 + "CardIntake/StoreCard": _PORTAL | _PHONE,
        _V1 + "CardIntake/ReplaceCvv": _PORTAL,
        _V1 + "CardReveal/RequestReveal": _CRM,
        _V1 + "CardReveal/ConfirmReveal": _CRM,
        _V1 + "CardReveal/RequestCvv": _CRM,
        _V1 + "CardReveal/ConfirmCvv": _CRM,
        _V1 + "CardReveal/RedeemCvvLink": _CRM,
        _V1 + "CardCustody/DescribeCard": _CRM,
        _V1 + "CardCustody/ListAccess": _CRM,
        _V1 + "CardCustody/RemoveCard": _CRM,
        _V1 + "CardCustody/FindKeyedCard": _CRM,
        _V1 + "AuditReader/ListAgencyAudit": _CRM,
        _V1 + "AgentRegister/ListEnrolled": _CRM,
        _V1 + "SecondReveal/RequestSecondReveal": _CRM,
        _V1 + "SecondReveal/RequestApproval": _CRM,
        _V1 + "SecondReveal/ConfirmApproval": _CRM,
        _V1 + "SecondReveal/RefuseSecondReveal": _CRM,
        _V1 + "VaultAdmin/EnrollAgent": _OPERATOR,
        _V1 + "VaultAdmin/ChangeAgentEmail": _OPERATOR,
        _V1 + "VaultAdmin/SetApprover": _OPERATOR,
        _V1 + "VaultAdmin/RotateKeys": _OPERATOR,
        _V1 + "VaultAdmin/Rewrap": _OPERATOR,
        _V1 + "VaultAdmin/PurgeExpired": _OPERATOR,
        _V1 + "VaultAdmin/VerifyAudit": _OPERATOR,
        _V1 + "CardFrame/GetSealingKey": _FRAME | _PHONE,
        _V1 + "PhoneTrail/RecordPhoneAct": _PHONE,
        **HEALTH_ENTRIES,
    }
)
