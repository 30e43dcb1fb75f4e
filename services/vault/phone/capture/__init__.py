"""Secure sessions: the PIN that ties a call, the fields, the digits until they are sealed."""
