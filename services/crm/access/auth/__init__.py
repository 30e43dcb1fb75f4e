"""Agents prove who they are: password, authenticator, sessions, lockout."""
