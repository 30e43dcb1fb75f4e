"""Clients whose profiles the CRM merged (C4)."""
