"""Visits (C18): a client is asked for a payment, documents and an insurance answer at once, by one letter."""
