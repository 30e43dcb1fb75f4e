"""Asking the client for the CVV again, and nothing else (M10)."""
