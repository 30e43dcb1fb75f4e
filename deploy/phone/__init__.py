"""Payments by phone: Kamailio in front of the masker, extensions, a test call."""
