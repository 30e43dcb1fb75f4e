"""Charging directly: a payment to the agency itself is charged through its own gateway, without a reveal (G1 to G6)."""
