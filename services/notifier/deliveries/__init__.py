"""Deliveries: one row per e-mail, a state machine kept in the database (PRODUCT N2)."""
