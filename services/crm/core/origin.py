"""Where the request at hand comes from."""

from flask import request

from services.crm.core.ports.vault import Origin


def request_origin() -> Origin:
    """Address and browser, for the vault's audit trail (M12)."""
    return Origin(ip=request.remote_addr or "", user_agent=request.user_agent.string[:300])
