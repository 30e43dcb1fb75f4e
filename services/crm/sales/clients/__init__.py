"""The travelers an agent works for."""
