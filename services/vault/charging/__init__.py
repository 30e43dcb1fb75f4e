"""Charging: the agency's own money through its own gateway, by a program of its own in the vault's zone (issue 13)."""
