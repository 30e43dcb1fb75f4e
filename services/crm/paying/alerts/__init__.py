"""The red alert on every page: payments that wait to be processed, by themselves and at once (M3)."""
