"""Clients prove who they are: invitation, password, reset, lockout, sessions. Other rooms' pages stand behind
`client_required` and ask `current_client()` who is there."""

from services.portal.account.guard import accounts, client_required, current_client, find_client
from services.portal.account.service import PresentClient

__all__ = ["PresentClient", "accounts", "client_required", "current_client", "find_client"]
