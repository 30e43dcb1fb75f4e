"""Clients who registered themselves in the portal (P10): who they are, and their way in."""
