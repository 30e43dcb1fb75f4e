"""Clients prove who they are: invitation, password, reset, lockout, sessions."""
