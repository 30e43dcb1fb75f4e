"""Intake: one-time slots through which cards and CVVs enter the vault."""
